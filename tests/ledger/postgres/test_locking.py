"""PostgreSQL's row locks under READ COMMITTED, on which the store relies, shown with psycopg alone."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

Rows = list[tuple[Any, ...]]


@pytest.fixture
def coins(postgres_url: str) -> Iterator[tuple[psycopg.Connection, psycopg.Connection]]:
    """Two sessions: the first has locked the row of a purse and written a mark beside it, both uncommitted."""
    with (
        psycopg.connect(postgres_url, autocommit=True) as first,
        psycopg.connect(postgres_url, autocommit=True) as second,
    ):
        first.execute("CREATE TABLE purse (id int PRIMARY KEY, coins int)")
        first.execute("CREATE TABLE marks (purse int, name text)")
        first.execute("INSERT INTO purse VALUES (1, 6)")
        first.execute("BEGIN")
        first.execute("UPDATE purse SET coins = 5 WHERE id = 1")
        first.execute("INSERT INTO marks VALUES (1, 'first')")
        yield first, second


def test_locked_row_is_read_at_its_newest_version(coins: tuple[psycopg.Connection, psycopg.Connection]) -> None:
    """After waiting for a row's lock a session reads the row as the other session committed it."""
    first, second = coins
    second.execute("BEGIN ISOLATION LEVEL READ COMMITTED")

    seen = _while_waiting(first, second, lambda: second.execute("SELECT coins FROM purse FOR UPDATE").fetchall())

    assert seen == [(5,)]


def test_later_statement_sees_the_awaited_commit(coins: tuple[psycopg.Connection, psycopg.Connection]) -> None:
    """In the same pipeline, a statement after the lock sees what the awaited session committed."""
    first, second = coins

    def work() -> Rows:
        with second.pipeline():
            second.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
            second.execute("SELECT coins FROM purse FOR UPDATE")
            marks = second.execute("SELECT name FROM marks")
        return marks.fetchall()

    assert _while_waiting(first, second, work) == [("first",)]


def test_locking_statement_reads_other_tables_stale(
    coins: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    """Why keys are not read with the lock: that statement's snapshot is older than the awaited commit."""
    first, second = coins
    second.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
    query = "SELECT coins, (SELECT count(*) FROM marks) FROM purse FOR UPDATE OF purse"

    seen = _while_waiting(first, second, lambda: second.execute(query).fetchall())

    assert seen == [(5, 0)]


def test_uncommitted_row_cannot_be_locked_but_awaited(
    coins: tuple[psycopg.Connection, psycopg.Connection],
) -> None:
    """A lock does not see an uncommitted row; inserting it again waits, and the next lock finds it."""
    first, second = coins
    first.execute("INSERT INTO purse VALUES (2, 6)")
    unseen = second.execute("SELECT id FROM purse WHERE id = 2 FOR UPDATE").fetchall()

    def work() -> Rows:
        with second.pipeline():
            second.execute("BEGIN")
            second.execute("INSERT INTO purse VALUES (2, 0) ON CONFLICT DO NOTHING")
            locked = second.execute("SELECT coins FROM purse WHERE id = 2 FOR UPDATE")
        return locked.fetchall()

    assert (unseen, _while_waiting(first, second, work)) == ([], [(6,)])


def _while_waiting(first: psycopg.Connection, second: psycopg.Connection, work: Callable[[], Rows]) -> Rows:
    """The result of the second session's work, which waits for the first one's commit."""
    found: list[Rows] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE pid = %s AND NOT granted"
    while first.execute(waiting, (second.info.backend_pid,)).fetchall() != [(1,)]:
        assert thread.is_alive()
    first.execute("COMMIT")
    thread.join()
    return found[0]
