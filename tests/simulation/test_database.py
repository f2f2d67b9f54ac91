"""What the simulated database promises, as PostgreSQL does: whole commits, locks to the end, accounts unseen before."""

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

ADA = "ada@example.com"
NUMBER = account_no(ADA)


@pytest.fixture
def database() -> Database:
    """An empty database."""
    return Database(Schedule(Random("any"), Trace()), DEFAULT_CATALOG)


def signup(key: str | None = None) -> Append:
    """What a batch writes that makes Ada's account."""
    decision = decide(
        Account(NUMBER, ADA),
        EnsureAccount(),
        clock=BEGAN_AT,
        priced_by=PricedBy(1, DEFAULT_CATALOG),
        key=None if key is None else Key(key, b"f"),
    )
    return Append(rows=list(decision.rows), accounts=[decision.account], unused_account_nos=[], clock=BEGAN_AT)


def made(database: Database) -> Session:
    """A session that has made Ada's account and has not committed."""
    session = Session(database)
    assert session.make(NUMBER, ADA, 0)
    return session


def in_tasks(database: Database, *works: Callable[[], None]) -> None:
    """Runs these beside each other until nothing is left to happen."""
    for work in works:
        database.schedule.start(work, "work")
    while database.schedule.step():
        pass


def test_an_account_is_seen_by_nobody_else_before_its_commit(database: Database) -> None:
    """The session that made it sees it, another does not; after the commit both do."""
    session, other = made(database), Session(database)
    before = (session.sees(NUMBER), other.sees(NUMBER))

    session.send(signup())
    session.commit()

    assert (before, other.sees(NUMBER), other.read(NUMBER).seq) == ((True, False), True, 1)


def test_who_makes_it_too_waits_for_the_first(database: Database) -> None:
    """In vain where that takes too long; once it is committed there is nothing to make."""
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
    """Whoever waits gets it then, and reads what was committed."""
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
def test_a_transaction_without_a_client_ends_as_it_is_to(database: Database, commits: bool) -> None:
    """By the commit that was sent, or undone; either way nothing is left locked."""
    session = made(database)
    session.send(signup())

    session.linger(SECOND, commits=commits)
    in_tasks(database)

    assert (NUMBER in database.rows, NUMBER in database.accounts) == (commits, commits)
    assert (database.locked, database.sessions) == ({}, {})


def test_what_was_not_sent_is_never_committed(database: Database) -> None:
    """A transaction that dies before its COMMIT is sent leaves nothing."""
    session = made(database)

    session.finish(commits=True)

    assert (database.accounts, database.rows, database.locked) == ({}, {}, {})


def test_a_commit_that_breaks_a_constraint_leaves_nothing(database: Database) -> None:
    """A place in the ledger that is taken: all of the batch is refused."""
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


def test_a_server_that_falls_keeps_what_was_committed_and_no_session(database: Database) -> None:
    """Others' locks are gone, what was not sent is gone, and after a while it is up again."""
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
