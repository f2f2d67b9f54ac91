"""The queue with plain values: order for each account, never two batches for one, parking, deadlines, the end."""

import threading
import time

import pytest

from sixpence.ledger.writer.queue import CommandQueue, Taken, Waiting


def queue_of(*entries: str, size_max: int = 100) -> CommandQueue[str]:
    """A queue in which these wait: `a1` is the entry 1 of account a."""
    queue: CommandQueue[str] = CommandQueue(size_max=size_max)
    for entry in entries:
        assert put(queue, entry) is True
    return queue


def put(queue: CommandQueue[str], entry: str, *, seconds: float = 60) -> bool | None:
    """Lets an entry wait, for as many seconds at most."""
    return queue.put(Waiting(entry[0], time.monotonic() + seconds, entry))


def take(queue: CommandQueue[str], size_max: int = 100) -> Taken[str]:
    """The next batch."""
    taken = queue.take(size_max)
    assert isinstance(taken, Taken)
    return taken


def items(taken: Taken[str]) -> list[str]:
    """What is in a batch."""
    return [entry.item for entry in taken.entries]


def test_a_batch_takes_what_waits_account_by_account() -> None:
    """All of an account's entries, in their order, then the next account's."""
    queue = queue_of("a1", "b1", "a2", "c1", "a3")

    taken = take(queue)

    assert (items(taken), taken.late, taken.wait, len(queue)) == (["a1", "a2", "a3", "b1", "c1"], [], True, 0)


def test_a_batch_has_its_bound() -> None:
    """What does not fit waits for the next batch of its account, and others come first."""
    queue = queue_of("a1", "a2", "a3", "b1")

    first = take(queue, 2)
    second = take(queue, 2)
    queue.done({"a"}, [])
    third = take(queue, 2)

    assert [items(taken) for taken in (first, second, third)] == [["a1", "a2"], ["b1"], ["a3"]]


def test_an_account_is_never_in_two_batches() -> None:
    """While its batch runs, what arrives for an account waits; then it is taken in order."""
    queue = queue_of("a1", "b1")
    first = take(queue, 1)
    put(queue, "a2")
    second = take(queue)
    put(queue, "a3")
    queue.done({"a"}, [])

    third = take(queue)

    assert [items(taken) for taken in (first, second, third)] == [["a1"], ["b1"], ["a2", "a3"]]


def test_an_account_that_is_held_elsewhere_is_parked() -> None:
    """Its entries come back first and in order, without waiting for locks; others are not delayed by it."""
    queue = queue_of("a1", "a2")
    first = take(queue)
    put(queue, "a3")
    put(queue, "b1")
    queue.done({"a"}, first.entries)
    meanwhile = take(queue)

    later = take(queue)

    assert (items(meanwhile), meanwhile.wait) == (["b1"], True)
    assert (items(later), later.wait) == (["a1", "a2", "a3"], False)
    assert [entry.held_elsewhere for entry in later.entries] == [True, True, False]


def test_a_parked_account_goes_on_before_new_ones_of_its_own() -> None:
    """What arrives while an account is parked stands behind what is parked, however often."""
    queue = queue_of("a1")
    for number in range(2, 5):
        taken = take(queue)
        put(queue, f"a{number}")
        queue.done({"a"}, taken.entries)

    assert items(take(queue)) == ["a1", "a2", "a3", "a4"]


def test_a_command_waits_no_longer_than_its_deadline() -> None:
    """What is too old is handed back as late and is in no batch; what is young goes on."""
    queue = queue_of()
    put(queue, "a1", seconds=-1)
    put(queue, "a2")
    put(queue, "b1", seconds=-1)

    taken = take(queue)

    assert (items(taken), [entry.item for entry in taken.late], len(queue)) == (["a2"], ["a1", "b1"], 0)


def test_an_account_of_which_all_was_late_is_ready_again() -> None:
    """Its next entry is taken as any other."""
    queue = queue_of()
    put(queue, "a1", seconds=-1)
    take(queue)

    put(queue, "a2")

    assert items(take(queue)) == ["a2"]


def test_a_full_queue_takes_no_more() -> None:
    """At the bound an entry is refused at once; when one has left there is room for one."""
    queue = queue_of("a1", "b1", "c1", size_max=3)
    refused = put(queue, "d1")
    take(queue, 1)

    accepted = put(queue, "d1")

    assert (refused, accepted, put(queue, "e1"), len(queue)) == (False, True, False, 3)


def test_a_closed_queue_gives_what_waits_and_then_nothing() -> None:
    """After the end nothing is accepted, and takers are told when all is done."""
    queue = queue_of("a1")
    queue.close()

    refused = put(queue, "b1")
    taken = take(queue)
    queue.done({"a"}, taken.entries)
    again = take(queue)
    queue.done({"a"}, [])

    assert (refused, items(taken), items(again), queue.take(10), queue.put_job(print)) == (
        None,
        ["a1"],
        ["a1"],
        None,
        False,
    )


def test_a_job_goes_before_batches() -> None:
    """What has to run on a lane's thread comes next, whatever waits."""
    ran: list[str] = []
    queue = queue_of("a1")
    queue.put_job(lambda: ran.append("job"))

    job = queue.take(10)

    assert callable(job)
    job()
    assert (ran, items(take(queue))) == (["job"], ["a1"])


@pytest.mark.parametrize("wake", ["put", "job", "close"])
def test_a_taker_that_waits_is_woken(wake: str) -> None:
    """A taker of an empty queue gets what comes the moment it comes."""
    queue = queue_of()
    got: list[object] = []
    taker = threading.Thread(target=lambda: got.append(queue.take(10)))
    taker.start()

    {"put": lambda: put(queue, "a1"), "job": lambda: queue.put_job(print), "close": queue.close}[wake]()
    taker.join(5)

    assert not taker.is_alive()
    assert (items(got[0]) if isinstance(got[0], Taken) else got[0]) == {"put": ["a1"], "job": print, "close": None}[
        wake
    ]


def test_two_lanes_share_the_work_and_never_an_account() -> None:
    """Two takers on a busy queue: every entry is taken once, in its account's order, by one taker at a time."""
    queue = queue_of(size_max=10_000)
    running: set[str] = set()
    clashes: list[str] = []
    order: dict[str, list[int]] = {name: [] for name in "abcdef"}
    guard = threading.Lock()

    def lane() -> None:
        while isinstance(taken := queue.take(7), Taken):
            accounts = {entry.account_id for entry in taken.entries}
            with guard:
                clashes.extend(accounts & running)
                running.update(accounts)
            # Every third batch meets an account that somebody else holds.
            again = [entry for entry in taken.entries if entry.account_id == "c" and not entry.held_elsewhere]
            for entry in taken.entries:
                if entry not in again:
                    order[entry.account_id].append(int(entry.item[1:]))
            with guard:
                running.difference_update(accounts)
            queue.done(accounts, again)

    lanes = [threading.Thread(target=lane) for _ in range(2)]
    for thread in lanes:
        thread.start()
    for number in range(1_200):
        put(queue, f"{'abcdef'[number % 6]}{number}")
    queue.close()
    for thread in lanes:
        thread.join(20)

    assert clashes == []
    assert order == {name: list(range(place, 1_200, 6)) for place, name in enumerate("abcdef")}
