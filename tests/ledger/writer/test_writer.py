"""The writer over the in-memory store: grouping, a full queue, cancellation, defects and the end."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import Consume, EnsureAccount, GrantCredits
from sixpence.core.errors import AccountBusyError, InternalError, QueueFullError, ServiceClosedError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.writer import Writer
from tests.ledger.writer.memory_store import MemoryStore, Shelf

USE = Request("a", Consume(feature="video"))


@pytest.fixture
def store() -> MemoryStore:
    """A store with an account of six credits."""
    store = MemoryStore(Shelf())
    with_writer = Writer([store])
    for name in "ab":
        with_writer.submit_and_wait(Request(name, EnsureAccount()))
    with_writer.close()
    store.shelf.batches.clear()
    store.loading.clear()
    return store


@pytest.fixture
def gate(store: MemoryStore) -> Iterator[threading.Event]:
    """While it is shut, the store's next batch stands still as it loads."""
    store.gate = threading.Event()
    yield store.gate
    store.gate.set()


async def test_what_waits_while_a_batch_runs_is_the_next_batch(store: MemoryStore, gate: threading.Event) -> None:
    """Group commit without a timer: one command, then everything that arrived meanwhile."""
    writer = Writer([store])
    first = asyncio.create_task(writer.submit(USE))
    await asyncio.to_thread(store.loading.wait)
    others = [asyncio.create_task(writer.submit(Request(name, USE.command))) for name in "aabb"]
    await asyncio.sleep(0)
    waiting = writer.waiting

    gate.set()
    outcomes = await asyncio.gather(first, *others)
    await asyncio.to_thread(writer.close)

    assert [outcome.row.balance_after for outcome in outcomes if outcome.row] == [5, 4, 3, 5, 4]
    assert (waiting, [sorted(batch) for batch in store.shelf.batches]) == (4, [["a"], ["a", "b"]])


async def test_no_answer_leaves_before_its_commit(store: MemoryStore, gate: threading.Event) -> None:
    """A caller waits until its row stands."""
    writer = Writer([store])
    call = asyncio.create_task(writer.submit(USE))
    await asyncio.to_thread(store.loading.wait)
    await asyncio.sleep(0.02)
    early = call.done()

    gate.set()
    outcome = await call

    assert (early, outcome.row in store.shelf.rows) == (False, True)
    await asyncio.to_thread(writer.close)


async def test_a_full_queue_refuses_at_once(store: MemoryStore, gate: threading.Event) -> None:
    """At the bound a command is refused without waiting, and memory holds no more than the bound; then all goes on."""
    writer = Writer([store], queue_size_max=50)
    running = asyncio.create_task(writer.submit(USE))
    await asyncio.to_thread(store.loading.wait)
    calls = [asyncio.create_task(writer.submit(Request("b", GrantCredits(amount=1)))) for _ in range(1_000)]
    await asyncio.sleep(0)
    refused = [call for call in calls if call.done()]
    waiting = writer.waiting

    gate.set()
    outcomes = await asyncio.gather(running, *calls, return_exceptions=True)
    await asyncio.to_thread(writer.close)

    assert (waiting, len(refused)) == (50, 950)
    assert outcomes.count(QueueFullError(retry_after_seconds=1)) == 950
    assert store.shelf.accounts["b"].remaining == 56


async def test_a_cancelled_caller_cancels_nothing(store: MemoryStore, gate: threading.Event) -> None:
    """A caller that goes away during its commit, or while it waits: both changes are made, and others are answered."""
    writer = Writer([store])
    during = asyncio.create_task(writer.submit(USE))
    await asyncio.to_thread(store.loading.wait)
    before = asyncio.create_task(writer.submit(USE))
    third = asyncio.create_task(writer.submit(USE))
    await asyncio.sleep(0)
    during.cancel()
    before.cancel()

    gate.set()
    outcome = await third
    await asyncio.gather(during, before, return_exceptions=True)
    await asyncio.to_thread(writer.close)

    assert (during.cancelled(), before.cancelled()) == (True, True)
    assert outcome.row is not None
    assert outcome.row.balance_after == 3


async def test_a_defect_ends_its_batch_and_not_the_writer(store: MemoryStore) -> None:
    """What nobody expected is an internal error for that batch; the next one runs."""
    writer = Writer([store])
    store.appends.append(RuntimeError("a defect"))

    with pytest.raises(InternalError):
        await writer.submit(USE)
    outcome = await writer.submit(USE)
    await asyncio.to_thread(writer.close)

    assert outcome.row is not None
    assert outcome.row.balance_after == 5


async def test_each_caller_raises_an_error_of_its_own(store: MemoryStore, gate: threading.Event) -> None:
    """Callers that share an outcome share no traceback."""
    writer = Writer([store])
    store.appends.extend([None, RuntimeError("a defect")])
    first = asyncio.create_task(writer.submit(USE))
    await asyncio.to_thread(store.loading.wait)
    calls = [asyncio.create_task(writer.submit(USE)) for _ in range(2)]
    await asyncio.sleep(0)

    gate.set()
    outcomes = await asyncio.gather(first, *calls, return_exceptions=True)
    await asyncio.to_thread(writer.close)

    assert outcomes[1:] == [InternalError(), InternalError()]
    assert outcomes[1] is not outcomes[2]


async def test_an_account_held_for_too_long_is_busy(store: MemoryStore) -> None:
    """Its command is told so after the bound; another account's is not; later it works."""
    writer = Writer([store], wait_seconds_max=0.2)
    store.shelf.hold("a")

    with pytest.raises(AccountBusyError):
        await writer.submit(USE)
    other = await writer.submit(Request("b", USE.command))
    store.shelf.let_go("a")
    again = await writer.submit(USE)
    await asyncio.to_thread(writer.close)

    assert [outcome.row.balance_after for outcome in (other, again) if outcome.row] == [5, 5]


def test_two_lanes_never_run_one_account_at_once() -> None:
    """Two stores over one shelf under load: no account is ever locked twice, and every command is answered."""
    shelf = Shelf()
    writer = Writer([MemoryStore(shelf), MemoryStore(shelf)], batch_size_max=5)
    names = [f"user-{number}@example.com" for number in range(6)]
    outcomes: list[Accepted] = []

    def work() -> None:
        for name in names * 10:
            outcomes.append(writer.submit_and_wait(Request(name, EnsureAccount())))
            outcomes.append(writer.submit_and_wait(Request(name, GrantCredits(amount=1))))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    assert (shelf.overlaps, len(outcomes)) == ([], 8 * 120)
    assert {account.remaining for account in shelf.accounts.values()} == {6 + 80}


async def test_closing_answers_what_waits(store: MemoryStore, gate: threading.Event) -> None:
    """What was accepted before the end is answered; what comes after is refused; a job too."""
    writer = Writer([store])
    calls = [asyncio.create_task(writer.submit(USE)) for _ in range(7)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(writer.close))
    await asyncio.sleep(0.02)
    with pytest.raises(ServiceClosedError):
        await writer.submit(USE)
    with pytest.raises(ServiceClosedError):
        writer.run_job(print).result(1)

    gate.set()
    await closing
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Accepted] * 6 + [InsufficientCreditsError]


def test_a_job_runs_between_batches_and_its_error_is_its_own(store: MemoryStore) -> None:
    """What a job raises goes to whoever asked for it, and the writer goes on."""
    writer = Writer([store])

    failed = writer.run_job(lambda: 1 // 0)
    done = writer.run_job(threading.current_thread)

    assert isinstance(failed.exception(5), ZeroDivisionError)
    assert done.result(5).name.startswith("sixpence-writer")
    assert writer.submit_and_wait(USE).row is not None
    writer.close()


def test_what_was_begun_ends_as_a_value(store: MemoryStore) -> None:
    """Whoever does not wait gets a future of the outcome, and a refusal is one as well."""
    writer = Writer([store])

    begun = [writer.begin(USE) for _ in range(7)]
    outcomes = [future.result(5) for future in begun]
    writer.close()

    assert [type(outcome) for outcome in outcomes] == [Accepted] * 6 + [InsufficientCreditsError]
