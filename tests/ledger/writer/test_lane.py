"""One lane over the in-memory store: every request gets its outcome, whatever the store runs into."""

import time

import pytest

from sixpence.core.account.commands import Command, Consume, EnsureAccount, GrantCredits, Key
from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError, InternalError
from sixpence.core.refusals import AccountNotFoundError, IdempotencyConflictError, InsufficientCreditsError
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.lane import Lane
from sixpence.ledger.writer.store import ConnectionLostError, ContendedError, LockWaitError
from tests.ledger.writer.memory_store import MemoryStore, Shelf

USE = Consume(feature="video")
ENSURE = EnsureAccount()


@pytest.fixture
def store() -> MemoryStore:
    """A store with the accounts a, b and c of six credits each."""
    store = MemoryStore(Shelf())
    Lane(store).run([asked(name, ENSURE) for name in "abc"])
    store.shelf.batches.clear()
    store.asked.clear()
    return store


def asked(account_id: str, command: Command = USE, key: str | None = None, fingerprint: str = "") -> Request:
    """A request."""
    return Request(account_id, command, None if key is None else Key(key, fingerprint.encode()))


def said(outcomes: list[Outcome | None]) -> list[object]:
    """The balance after each accepted row, or the code of an error."""
    return [
        (outcome.row.balance_after if outcome.row else "no row")
        if isinstance(outcome, Accepted)
        else outcome and outcome.code
        for outcome in outcomes
    ]


def test_a_batch_equals_its_commands_one_by_one(store: MemoryStore) -> None:
    """Each command is decided on the account as the one before left it; new accounts and unknown ones among them."""
    requests = [
        asked("a"),
        asked("new", ENSURE),
        asked("a", GrantCredits(amount=4)),
        asked("nobody"),
        asked("new"),
        asked("a"),
    ]
    other = MemoryStore(Shelf())
    Lane(other).run([asked(name, ENSURE) for name in "abc"])

    together = Lane(store).run(requests)
    one_by_one = [Lane(other).run([request])[0] for request in requests]

    assert said(together) == said(one_by_one) == [5, 6, 9, "account-not-found", 5, 8]
    assert (len(store.shelf.batches), store.shelf.rows, store.shelf.held) == (1, other.shelf.rows, {})


def test_a_key_twice_in_one_batch_is_one_change(store: MemoryStore) -> None:
    """The second is answered by the row of the first; the same key with another request is a conflict."""
    outcomes = Lane(store).run(
        [asked("a", key="k"), asked("a", key="k"), asked("a", key="k", fingerprint="x"), asked("b", key="k")]
    )

    first, second, third, other = outcomes
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (first.row, second.replayed, third) == (second.row, True, IdempotencyConflictError("k"))
    assert said([other]) == [5]
    assert len([row for row in store.shelf.rows if row.kind == "consume"]) == 2


def test_a_batch_without_rows_commits_nothing(store: MemoryStore) -> None:
    """Refusals and replays end without a commit, and no lock stays behind."""
    store.appends.append(AssertionError("nothing to commit"))

    outcomes = Lane(store).run([asked("nobody"), asked("a", ENSURE)])

    assert said(outcomes) == ["account-not-found", "no row"]
    assert (store.shelf.held, len(store.shelf.rows)) == ({}, 3)


def test_an_account_that_is_held_delays_only_its_own(store: MemoryStore) -> None:
    """The lane waits once for the batch's locks, then goes on without what is held; that has no outcome yet."""
    store.shelf.hold("b")

    outcomes = Lane(store).run([asked("a"), asked("b"), asked("c"), asked("b")])

    assert said(outcomes) == [5, None, 5, None]
    assert [asked.wait for asked in store.asked] == [True, False]


def test_a_lock_that_times_out_again_is_tried_one_by_one(store: MemoryStore) -> None:
    """An account that somebody else is making keeps even the impatient batch waiting: then each command runs alone."""
    store.loads.extend([LockWaitError(), LockWaitError(), None, LockWaitError(), None])

    outcomes = Lane(store).run([asked("a"), asked("b"), asked("c")])

    assert said(outcomes) == [5, None, 5]


def test_what_waits_is_not_overtaken(store: MemoryStore) -> None:
    """When commands run one by one, those behind one that has to wait for the same account wait with it."""
    store.loads.extend([LockWaitError(), LockWaitError(), LockWaitError(), None])

    outcomes = Lane(store).run([asked("new", ENSURE), asked("new"), asked("a"), asked("new")])

    assert said(outcomes) == [None, None, 5, None]


def test_a_contended_batch_is_run_again(store: MemoryStore) -> None:
    """A deadlock or a serialization failure costs a rerun, in load and in append, and is charged once."""
    store.loads.append(ContendedError())
    store.appends.append(ContendedError())

    outcomes = Lane(store).run([asked("a"), asked("b")])

    assert said(outcomes) == [5, 5]
    assert len(store.shelf.rows) == 5


def test_endless_contention_ends_in_waiting(store: MemoryStore) -> None:
    """After twenty tries the requests go back to the queue."""
    store.loads.extend([ContendedError()] * 21)

    assert said(Lane(store).run([asked("a"), asked("b")])) == [None, None]


def test_a_row_that_is_refused_fails_alone(store: MemoryStore) -> None:
    """The batch is run again one by one: only the command at fault fails."""
    store.refused_ids.add("b")

    outcomes = Lane(store).run([asked("a"), asked("b"), asked("c")])

    assert said(outcomes) == [5, "internal-error", 5]
    assert store.shelf.held == {}


def test_a_database_that_comes_back_in_time_costs_no_error(store: MemoryStore) -> None:
    """A connection that is lost before the commit is replaced, and the batch is run again."""
    store.loads.extend([ConnectionLostError()] * 3)

    assert said(Lane(store).run([asked("a")])) == [5]


def test_a_database_that_stays_away_is_unavailable(store: MemoryStore) -> None:
    """After a second every request of the batch is answered, and nothing has changed."""
    store.loads.extend([ConnectionLostError()] * 1_000)
    began = time.monotonic()

    outcomes = Lane(store).run([asked("a"), asked("b")])

    assert outcomes == [DatabaseUnavailableError()] * 2
    assert 0.9 < time.monotonic() - began < 3
    assert len(store.shelf.rows) == 3


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_commit_is_looked_for(store: MemoryStore, committed: bool) -> None:
    """The first row tells what became of the batch: it is taken as done, or run again; charged once either way."""
    store.appends.append(ConnectionLostError())
    store.commit_before_error = committed
    store.loads.extend([None, ConnectionLostError(), ConnectionLostError()])

    outcomes = Lane(store).run([asked("a"), asked("nobody"), asked("a")])

    assert said(outcomes) == [5, "account-not-found", 4]
    if not committed:
        assert [row.seq for row in store.shelf.rows if row.account_id == "a"] == [1, 2, 3]


def test_a_database_that_cannot_be_used_is_said_to_all(store: MemoryStore) -> None:
    """What is wrong with the set-up answers every request, and the connection is given up."""
    error = DatabaseSetupError("It is the wrong one.", "Take another.")
    store.loads.append(error)

    assert Lane(store).run([asked("a"), asked("b")]) == [error, error]


def test_a_defect_leaves_no_lock_behind(store: MemoryStore) -> None:
    """An error that nobody expected passes through, and what was begun is undone."""
    store.appends.append(RuntimeError("a defect"))

    with pytest.raises(RuntimeError):
        Lane(store).run([asked("a")])

    assert (store.shelf.held, len(store.shelf.rows)) == ({}, 3)


def test_refusals_of_one_batch_are_values_of_their_own(store: MemoryStore) -> None:
    """A refusal shows the balance of its own moment in the batch."""
    outcomes = Lane(store).run([asked("a")] * 7 + [asked("nobody")])

    assert outcomes[6:] == [InsufficientCreditsError("video", 1, 0, 0), AccountNotFoundError("nobody")]
    assert InternalError() not in outcomes
