"""One worker over the in-memory store: every request gets its outcome, for every error of the store."""

import time

import pytest

from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError, InternalError
from sixpence.core.refusals import AccountNotFoundError, IdempotencyConflictError, InsufficientCreditsError
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.store import ConnectionLostError, ContendedError, LockTimeoutError
from sixpence.ledger.writer.worker import BatchWorker
from tests.ledger.writer.memory_store import MemoryStore, SharedState

USE = Consume(feature="video")
ENSURE = EnsureAccount()


@pytest.fixture
def store() -> MemoryStore:
    """A store with the accounts a, b and c of six credits each."""
    store = MemoryStore(SharedState())
    BatchWorker(store).run([request_of(name, ENSURE) for name in "abc"])
    store.state.batches.clear()
    store.loaded_needs.clear()
    return store


def request_of(account_id: str, command: Command = USE, key: str | None = None, fingerprint: str = "") -> Request:
    """A request."""
    return Request(account_id, command, None if key is None else Key(key, fingerprint.encode()))


def summarize(outcomes: list[Outcome | None]) -> list[object]:
    """The balance after each accepted row, or the code of an error."""
    return [
        (outcome.row.balance_after if outcome.row else "no row")
        if isinstance(outcome, Accepted)
        else outcome and outcome.code
        for outcome in outcomes
    ]


def test_batch_equals_its_commands_one_by_one(store: MemoryStore) -> None:
    """Each command is decided on the account as the one before left it; some accounts are new or unknown."""
    requests = [
        request_of("a"),
        request_of("new", ENSURE),
        request_of("a", GrantCredits(amount=4)),
        request_of("nobody"),
        request_of("new"),
        request_of("a"),
    ]
    other = MemoryStore(SharedState())
    BatchWorker(other).run([request_of(name, ENSURE) for name in "abc"])

    together = BatchWorker(store).run(requests)
    one_by_one = [BatchWorker(other).run([request])[0] for request in requests]

    assert summarize(together) == summarize(one_by_one) == [5, 6, 9, "account-not-found", 5, 8]
    assert (len(store.state.batches), store.state.rows, store.state.held) == (1, other.state.rows, {})


def test_key_twice_in_one_batch_is_one_change(store: MemoryStore) -> None:
    """The second is a replay of the first; the same key with another request is a conflict."""
    outcomes = BatchWorker(store).run(
        [
            request_of("a", key="k"),
            request_of("a", key="k"),
            request_of("a", key="k", fingerprint="x"),
            request_of("b", key="k"),
        ]
    )

    first, second, third, other = outcomes
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (first.row, second.replayed, third) == (second.row, True, IdempotencyConflictError("k"))
    assert summarize([other]) == [5]
    assert len([row for row in store.state.rows if row.kind == "consume"]) == 2


def test_batch_without_rows_commits_nothing(store: MemoryStore) -> None:
    """Refusals and replays end without a commit and without a lock."""
    store.appends.append(AssertionError("nothing to commit"))

    outcomes = BatchWorker(store).run([request_of("nobody"), request_of("a", ENSURE)])

    assert summarize(outcomes) == ["account-not-found", "no row"]
    assert (store.state.held, len(store.state.rows)) == ({}, 3)


def test_locked_account_delays_only_its_own_commands(store: MemoryStore) -> None:
    """The worker waits once for locks, then continues without the locked account, which has no outcome yet."""
    store.state.hold("b")

    outcomes = BatchWorker(store).run([request_of("a"), request_of("b"), request_of("c"), request_of("b")])

    assert summarize(outcomes) == [5, None, 5, None]
    assert [needs.wait for needs in store.loaded_needs] == [True, False]


def test_second_lock_timeout_runs_commands_one_by_one(store: MemoryStore) -> None:
    """An account in creation elsewhere blocks even a batch that does not wait: then each command runs alone."""
    store.loads.extend([LockTimeoutError(), LockTimeoutError(), None, LockTimeoutError(), None])

    outcomes = BatchWorker(store).run([request_of("a"), request_of("b"), request_of("c")])

    assert summarize(outcomes) == [5, None, 5]


def test_blocked_commands_keep_their_order(store: MemoryStore) -> None:
    """When commands run one by one, later commands of a blocked account wait with it."""
    store.loads.extend([LockTimeoutError(), LockTimeoutError(), LockTimeoutError(), None])

    outcomes = BatchWorker(store).run(
        [request_of("new", ENSURE), request_of("new"), request_of("a"), request_of("new")]
    )

    assert summarize(outcomes) == [None, None, 5, None]


def test_contended_batch_is_retried(store: MemoryStore) -> None:
    """After a deadlock or a serialization failure, in load or append, the batch is retried and charged once."""
    store.loads.append(ContendedError())
    store.appends.append(ContendedError())

    outcomes = BatchWorker(store).run([request_of("a"), request_of("b")])

    assert summarize(outcomes) == [5, 5]
    assert len(store.state.rows) == 5


def test_contended_batch_returns_to_the_queue_after_its_retries(store: MemoryStore) -> None:
    """After twenty retries the requests have no outcome and return to the queue."""
    store.loads.extend([ContendedError()] * 21)

    assert summarize(BatchWorker(store).run([request_of("a"), request_of("b")])) == [None, None]


def test_rejected_row_fails_alone(store: MemoryStore) -> None:
    """The batch is run one by one: only the command at fault fails."""
    store.refused_ids.add("b")

    outcomes = BatchWorker(store).run([request_of("a"), request_of("b"), request_of("c")])

    assert summarize(outcomes) == [5, "internal-error", 5]
    assert store.state.held == {}


def test_lost_connection_is_replaced(store: MemoryStore) -> None:
    """After a lost connection before the commit the batch is retried on a new one."""
    store.loads.extend([ConnectionLostError()] * 3)

    assert summarize(BatchWorker(store).run([request_of("a")])) == [5]


def test_unavailable_database_refuses_the_batch(store: MemoryStore) -> None:
    """After a second every request of the batch is refused, and nothing has changed."""
    store.loads.extend([ConnectionLostError()] * 1_000)
    began = time.monotonic()

    outcomes = BatchWorker(store).run([request_of("a"), request_of("b")])

    assert outcomes == [DatabaseUnavailableError()] * 2
    assert 0.9 < time.monotonic() - began < 3
    assert len(store.state.rows) == 3


@pytest.mark.parametrize("committed", [True, False])
def test_lost_commit_is_checked(store: MemoryStore, committed: bool) -> None:
    """The batch's first row decides: the batch is answered, or retried; charged once in both cases."""
    store.appends.append(ConnectionLostError())
    store.commit_before_error = committed
    store.loads.extend([None, ConnectionLostError(), ConnectionLostError()])

    outcomes = BatchWorker(store).run([request_of("a"), request_of("nobody"), request_of("a")])

    assert summarize(outcomes) == [5, "account-not-found", 4]
    if not committed:
        assert [row.seq for row in store.state.rows if row.account_id == "a"] == [1, 2, 3]


def test_setup_error_refuses_every_request(store: MemoryStore) -> None:
    """Every request gets the set-up error, and the connection is closed."""
    error = DatabaseSetupError("It is the wrong one.", "Take another.")
    store.loads.append(error)

    assert BatchWorker(store).run([request_of("a"), request_of("b")]) == [error, error]


def test_unexpected_error_rolls_back(store: MemoryStore) -> None:
    """An unexpected error is raised, and the transaction is rolled back."""
    store.appends.append(RuntimeError("a defect"))

    with pytest.raises(RuntimeError):
        BatchWorker(store).run([request_of("a")])

    assert (store.state.held, len(store.state.rows)) == ({}, 3)


def test_refusals_of_one_batch_are_separate(store: MemoryStore) -> None:
    """Each refusal shows the balance at its own place in the batch."""
    outcomes = BatchWorker(store).run([request_of("a")] * 7 + [request_of("nobody")])

    assert outcomes[6:] == [InsufficientCreditsError("video", 1, 0, 0), AccountNotFoundError("nobody")]
    assert InternalError() not in outcomes
