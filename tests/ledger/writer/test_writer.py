"""The writer over the in-memory store: grouping, a full queue, cancellation, defects and closing."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from sixpence.core.account.commands import Consume, EnsureAccount, GrantCredits
from sixpence.core.errors import AccountBusyError, InternalError, QueueFullError, ServiceClosedError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.writer import Writer
from tests.ledger.writer.memory_store import MemoryStore, SharedState

USE = Request("a", Consume(feature="video"))


@pytest.fixture
def store() -> MemoryStore:
    """A store with an account of six credits."""
    store = MemoryStore(SharedState())
    with_writer = Writer([store])
    for name in "ab":
        with_writer.submit_and_wait(Request(name, EnsureAccount()))
    with_writer.close()
    store.state.batches.clear()
    store.loading.clear()
    return store


@pytest.fixture
def gate(store: MemoryStore) -> Iterator[threading.Event]:
    """A gate that blocks the store's next load while it is shut."""
    store.gate = threading.Event()
    yield store.gate
    store.gate.set()


async def test_commands_queued_during_a_batch_are_the_next_batch(store: MemoryStore, gate: threading.Event) -> None:
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
    assert (waiting, [sorted(batch) for batch in store.state.batches]) == (4, [["a"], ["a", "b"]])


async def test_no_answer_before_the_commit(store: MemoryStore, gate: threading.Event) -> None:
    """A caller waits until its row is committed."""
    writer = Writer([store])
    call = asyncio.create_task(writer.submit(USE))
    await asyncio.to_thread(store.loading.wait)
    await asyncio.sleep(0.02)
    early = call.done()

    gate.set()
    outcome = await call

    assert (early, outcome.row in store.state.rows) == (False, True)
    await asyncio.to_thread(writer.close)


async def test_full_queue_refuses_at_once(store: MemoryStore, gate: threading.Event) -> None:
    """At the limit a command is refused without waiting and takes no memory; later commands are accepted again."""
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
    assert store.state.accounts["b"].remaining == 56


async def test_cancelled_caller_does_not_cancel_its_command(store: MemoryStore, gate: threading.Event) -> None:
    """Callers cancelled during their commit or while queued: both changes are made, and others are answered."""
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


async def test_defect_fails_its_batch_and_not_the_writer(store: MemoryStore) -> None:
    """An unexpected error is an internal error for its batch; the next batch runs."""
    writer = Writer([store])
    store.appends.append(RuntimeError("a defect"))

    with pytest.raises(InternalError):
        await writer.submit(USE)
    outcome = await writer.submit(USE)
    await asyncio.to_thread(writer.close)

    assert outcome.row is not None
    assert outcome.row.balance_after == 5


async def test_callers_do_not_share_a_traceback(store: MemoryStore, gate: threading.Event) -> None:
    """Callers that share an outcome raise separate errors."""
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


async def test_locked_account_is_busy_after_the_wait_limit(store: MemoryStore) -> None:
    """Its command is refused as busy after the limit; another account's is accepted; later it works."""
    writer = Writer([store], wait_seconds_max=0.2)
    store.state.hold("a")

    with pytest.raises(AccountBusyError):
        await writer.submit(USE)
    other = await writer.submit(Request("b", USE.command))
    store.state.let_go("a")
    again = await writer.submit(USE)
    await asyncio.to_thread(writer.close)

    assert [outcome.row.balance_after for outcome in (other, again) if outcome.row] == [5, 5]


def test_two_workers_never_run_one_account_at_once() -> None:
    """Two stores over one state under load: no account is locked twice, and every command is answered."""
    state = SharedState()
    writer = Writer([MemoryStore(state), MemoryStore(state)], batch_size_max=5)
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

    assert (state.overlaps, len(outcomes)) == ([], 8 * 120)
    assert {account.remaining for account in state.accounts.values()} == {6 + 80}


async def test_close_answers_queued_commands(store: MemoryStore, gate: threading.Event) -> None:
    """Commands accepted before the close are answered; later commands and jobs are refused."""
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


def test_job_runs_between_batches_and_its_error_is_its_caller_s(store: MemoryStore) -> None:
    """An error of a job goes to the job's caller, and the writer continues."""
    writer = Writer([store])

    failed = writer.run_job(lambda: 1 // 0)
    done = writer.run_job(threading.current_thread)

    assert isinstance(failed.exception(5), ZeroDivisionError)
    assert done.result(5).name.startswith("sixpence-writer")
    assert writer.submit_and_wait(USE).row is not None
    writer.close()


def test_submit_future_returns_outcomes_as_values(store: MemoryStore) -> None:
    """The future's result is the outcome, also for a refusal."""
    writer = Writer([store])

    begun = [writer.submit_future(USE) for _ in range(7)]
    outcomes = [future.result(5) for future in begun]
    writer.close()

    assert [type(outcome) for outcome in outcomes] == [Accepted] * 6 + [InsufficientCreditsError]
