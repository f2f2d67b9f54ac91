"""The queue with plain values: order and one batch per account, blocked accounts, deadlines, closing."""

import threading
import time

import pytest

from sixpence.ledger.writer.queue import CommandQueue, QueueBatch, QueueEntry


def queue_of(*entries: str, size_max: int = 100) -> CommandQueue[str]:
    """A queue with these entries: `a1` is entry 1 of account a."""
    queue: CommandQueue[str] = CommandQueue(size_max=size_max)
    for entry in entries:
        assert put(queue, entry) is True
    return queue


def put(queue: CommandQueue[str], entry: str, *, seconds: float = 60) -> bool | None:
    """Put an entry with a deadline in this many seconds."""
    return queue.put(QueueEntry(entry[0], time.monotonic() + seconds, entry))


def take(queue: CommandQueue[str], size_max: int = 100) -> QueueBatch[str]:
    """Take the next batch."""
    taken = queue.take(size_max)
    assert isinstance(taken, QueueBatch)
    return taken


def items(taken: QueueBatch[str]) -> list[str]:
    """The items of a batch."""
    return [entry.item for entry in taken.entries]


def test_take_returns_entries_account_by_account() -> None:
    """All entries of an account in their order, then the next account's."""
    queue = queue_of("a1", "b1", "a2", "c1", "a3")

    taken = take(queue)

    assert (items(taken), taken.expired, taken.wait, len(queue)) == (["a1", "a2", "a3", "b1", "c1"], [], True, 0)


def test_take_stops_at_the_batch_size() -> None:
    """Entries beyond the size wait for the account's next batch, and other accounts come first."""
    queue = queue_of("a1", "a2", "a3", "b1")

    first = take(queue, 2)
    second = take(queue, 2)
    queue.finish({"a"}, [])
    third = take(queue, 2)

    assert [items(taken) for taken in (first, second, third)] == [["a1", "a2"], ["b1"], ["a3"]]


def test_an_account_is_never_in_two_batches() -> None:
    """While an account's batch runs, its new entries wait; then they are taken in order."""
    queue = queue_of("a1", "b1")
    first = take(queue, 1)
    put(queue, "a2")
    second = take(queue)
    put(queue, "a3")
    queue.finish({"a"}, [])

    third = take(queue)

    assert [items(taken) for taken in (first, second, third)] == [["a1"], ["b1"], ["a2", "a3"]]


def test_blocked_account_is_retried_first_and_delays_no_other() -> None:
    """Its entries come back first and in order, without waiting for locks; other accounts do not wait for it."""
    queue = queue_of("a1", "a2")
    first = take(queue)
    put(queue, "a3")
    put(queue, "b1")
    queue.finish({"a"}, first.entries)
    meanwhile = take(queue)

    later = take(queue)

    assert (items(meanwhile), meanwhile.wait) == (["b1"], True)
    assert (items(later), later.wait) == (["a1", "a2", "a3"], False)
    assert [entry.locked_elsewhere for entry in later.entries] == [True, True, False]


def test_blocked_entries_come_before_new_ones() -> None:
    """New entries of a blocked account stay behind its blocked ones, however often it is retried."""
    queue = queue_of("a1")
    for number in range(2, 5):
        taken = take(queue)
        put(queue, f"a{number}")
        queue.finish({"a"}, taken.entries)

    assert items(take(queue)) == ["a1", "a2", "a3", "a4"]


def test_expired_entries_are_returned_separately() -> None:
    """An entry past its deadline is returned as expired and is in no batch; later ones are taken."""
    queue = queue_of()
    put(queue, "a1", seconds=-1)
    put(queue, "a2")
    put(queue, "b1", seconds=-1)

    taken = take(queue)

    assert (items(taken), [entry.item for entry in taken.expired], len(queue)) == (["a2"], ["a1", "b1"], 0)


def test_account_is_ready_after_all_its_entries_expired() -> None:
    """Its next entry is taken like any other."""
    queue = queue_of()
    put(queue, "a1", seconds=-1)
    take(queue)

    put(queue, "a2")

    assert items(take(queue)) == ["a2"]


def test_full_queue_refuses_entries() -> None:
    """At the limit an entry is refused at once; once one has left, another is accepted."""
    queue = queue_of("a1", "b1", "c1", size_max=3)
    refused = put(queue, "d1")
    take(queue, 1)

    accepted = put(queue, "d1")

    assert (refused, accepted, put(queue, "e1"), len(queue)) == (False, True, False, 3)


def test_closed_queue_returns_its_entries_and_then_none() -> None:
    """After the close nothing is accepted, and takers get None once the queue is empty."""
    queue = queue_of("a1")
    queue.close()

    refused = put(queue, "b1")
    taken = take(queue)
    queue.finish({"a"}, taken.entries)
    again = take(queue)
    queue.finish({"a"}, [])

    assert (refused, items(taken), items(again), queue.take(10), queue.put_job(print)) == (
        None,
        ["a1"],
        ["a1"],
        None,
        False,
    )


def test_job_is_taken_before_batches() -> None:
    """A job for a worker's thread is taken next, before every waiting entry."""
    ran: list[str] = []
    queue = queue_of("a1")
    queue.put_job(lambda: ran.append("job"))

    job = queue.take(10)

    assert callable(job)
    job()
    assert (ran, items(take(queue))) == (["job"], ["a1"])


@pytest.mark.parametrize("wake", ["put", "job", "close"])
def test_waiting_taker_is_woken(wake: str) -> None:
    """A taker of an empty queue gets a new entry at once."""
    queue = queue_of()
    got: list[object] = []
    taker = threading.Thread(target=lambda: got.append(queue.take(10)))
    taker.start()

    {"put": lambda: put(queue, "a1"), "job": lambda: queue.put_job(print), "close": queue.close}[wake]()
    taker.join(5)

    assert not taker.is_alive()
    assert (items(got[0]) if isinstance(got[0], QueueBatch) else got[0]) == {
        "put": ["a1"],
        "job": print,
        "close": None,
    }[wake]


def test_two_workers_never_share_an_account() -> None:
    """With two takers on a busy queue every entry is taken once, in its account's order, by one taker at a time."""
    queue = queue_of(size_max=10_000)
    running: set[str] = set()
    clashes: list[str] = []
    order: dict[str, list[int]] = {name: [] for name in "abcdef"}
    guard = threading.Lock()

    def worker() -> None:
        while isinstance(taken := queue.take(7), QueueBatch):
            accounts = {entry.account_id for entry in taken.entries}
            with guard:
                clashes.extend(accounts & running)
                running.update(accounts)
            # Another session holds account c at the first attempt of each of its entries.
            again = [entry for entry in taken.entries if entry.account_id == "c" and not entry.locked_elsewhere]
            for entry in taken.entries:
                if entry not in again:
                    order[entry.account_id].append(int(entry.item[1:]))
            with guard:
                running.difference_update(accounts)
            queue.finish(accounts, again)

    lanes = [threading.Thread(target=worker) for _ in range(2)]
    for thread in lanes:
        thread.start()
    for number in range(1_200):
        put(queue, f"{'abcdef'[number % 6]}{number}")
    queue.close()
    for thread in lanes:
        thread.join(20)

    assert clashes == []
    assert order == {name: list(range(place, 1_200, 6)) for place, name in enumerate("abcdef")}
