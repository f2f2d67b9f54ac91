"""The simulated database's promises: atomic commits, locks until the end, uncommitted accounts unseen."""

from collections.abc import Callable
from random import Random

import pytest

from sixpence.core.account.account import Account
from sixpence.core.account.commands import EnsureAccount, Key
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, PricedBy
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.ledger.writer.store import Append, RowRejectedError
from tests.simulation.database import BEGAN_AT, Database, Session
from tests.simulation.schedule import SECOND, Schedule
from tests.simulation.trace import Trace

pytestmark = pytest.mark.slow

ADA = "ada@example.com"
NUMBER = account_no(ADA)


@pytest.fixture
def database() -> Database:
    """An empty database."""
    return Database(Schedule(Random("any"), Trace()), DEFAULT_CATALOG)


def signup(key: str | None = None) -> Append:
    """The writes of a batch that creates Ada's account."""
    decision = decide(
        Account(NUMBER, ADA),
        EnsureAccount(),
        clock=BEGAN_AT,
        priced_by=PricedBy(1, DEFAULT_CATALOG),
        key=None if key is None else Key(key, b"f"),
    )
    return Append(rows=list(decision.rows), accounts=[decision.account], unused_account_nos=[], clock=BEGAN_AT)


def made(database: Database) -> Session:
    """A session that has inserted Ada's account and has not committed."""
    session = Session(database)
    assert session.make(NUMBER, ADA, 0)
    return session


def in_tasks(database: Database, *works: Callable[[], None]) -> None:
    """Run these concurrently until all have ended."""
    for work in works:
        database.schedule.start(work, "work")
    while database.schedule.step():
        pass


def test_uncommitted_account_is_seen_by_its_session_only(database: Database) -> None:
    """Before its commit only its session sees the account; after it both do."""
    session, other = made(database), Session(database)
    before = (session.sees(NUMBER), other.sees(NUMBER))

    session.send(signup())
    session.commit()

    assert (before, other.sees(NUMBER), other.read(NUMBER).seq) == ((True, False), True, 1)


def test_second_insert_waits_for_the_first(database: Database) -> None:
    """It times out, or finds the committed account."""
    session, seen = made(database), list[tuple[bool, bool]]()

    def too() -> None:
        other = Session(database)
        seen.append((other.make(NUMBER, ADA, SECOND), other.sees(NUMBER)))
        seen.append((other.make(NUMBER, ADA, 5 * SECOND), other.sees(NUMBER)))

    session.send(signup())
    session.linger(3 * SECOND, commits=True)
    in_tasks(database, too)

    assert seen == [(False, False), (True, True)]


def test_a_lock_lasts_until_the_transaction_ends(database: Database) -> None:
    """A waiting session then gets the lock, and reads the committed account."""
    first, got = made(database), list[tuple[bool, int]]()

    def second() -> None:
        session = Session(database)
        assert session.make(NUMBER, ADA, 5 * SECOND)
        got.append((session.lock(NUMBER, SECOND), session.read(NUMBER).seq))

    first.send(signup())
    first.linger(SECOND, commits=True)
    in_tasks(database, second)

    assert got == [(True, 1)]


@pytest.mark.parametrize("commits", [True, False])
def test_transaction_without_a_client_ends(database: Database, commits: bool) -> None:
    """By its commit or a rollback; either way nothing stays locked."""
    session = made(database)
    session.send(signup())

    session.linger(SECOND, commits=commits)
    in_tasks(database)

    assert (NUMBER in database.rows, NUMBER in database.accounts) == (commits, commits)
    assert (database.locked, database.sessions) == ({}, {})


def test_unsent_batch_is_never_committed(database: Database) -> None:
    """A transaction without a sent COMMIT is rolled back."""
    session = made(database)

    session.finish(commits=True)

    assert (database.accounts, database.rows, database.locked) == ({}, {}, {})


def test_constraint_violation_commits_nothing(database: Database) -> None:
    """A used place in the ledger refuses the whole batch."""
    first = made(database)
    first.send(signup("one"))
    first.commit()
    before = (dict(database.accounts), {number: dict(rows) for number, rows in database.rows.items()})
    second = Session(database)
    second.send(signup("another"))

    with pytest.raises(RowRejectedError, match="a place in the ledger is taken"):
        second.commit()

    assert (database.accounts, database.rows) == before
    assert (second.ended, list(database.keys)) == (True, [(NUMBER, "one")])


def test_crashed_server_keeps_committed_rows_only(database: Database) -> None:
    """Locks and unsent transactions are gone, and after a while it is up again."""
    done = made(database)
    done.send(signup())
    done.commit()
    under_way = Session(database)
    assert under_way.lock_if_free(NUMBER)

    database.fall(SECOND)
    down = database.up
    in_tasks(database)

    assert (down, database.up, under_way.ended, database.locked) == (False, True, True, {})
    assert list(database.rows[NUMBER]) == [1]
