"""Reads of holds, captures and transactions, and that each uses its index."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event

from sixpence.core.account.account import Account
from sixpence.core.account.commands import (
    CaptureHold,
    Consume,
    EnsureAccount,
    ExtendHold,
    GrantCredits,
    PlaceHold,
    Refund,
    ReleaseHold,
)
from sixpence.core.catalog.price import Usage
from sixpence.ledger.database.engines import PostgresServer, parse_database_url, reading_engine
from sixpence.ledger.postgres import statements
from sixpence.ledger.postgres.store import connect
from sixpence.ledger.reads.accounts import (
    CaptureWithTerms,
    find_account,
    find_transaction,
    list_captures,
    list_open_holds,
)
from sixpence.ledger.sqlite.store import SQLiteStore
from tests.ledger.databases import raw_engine, run
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, WorkerDriver, open_driver

BOB = "bob@example.com"


@pytest.fixture
def driver(url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """A till with Ada's account of a hundred and six credits."""
    driver = open_driver(url, clock)
    driver.row(GrantCredits(amount=100))
    yield driver
    driver.store.close()


def test_list_open_holds_sorts_by_expiry(driver: WorkerDriver, url: str) -> None:
    """By expiry time, without ended holds, and at most `limit`."""
    ids = [driver.row(PlaceHold(feature="sketch", ttl_seconds=seconds)).id for seconds in (90, 60, 70, 80)]
    driver.row(ExtendHold(hold_id=ids[1], ttl_seconds=100))
    driver.row(ReleaseHold(hold_id=ids[3]))

    with reading_engine(parse_database_url(url)).connect() as connection:
        account = _account(connection)
        listed = [list_open_holds(connection, account, limit) for limit in (10, 2)]

    assert [[hold.id for hold in holds] for holds in listed] == [[ids[2], ids[0], ids[1]], [ids[2], ids[0]]]


def test_list_captures_covers_all_accounts(driver: WorkerDriver, url: str, clock: MovedClock) -> None:
    """The captures of a feature, newest first; without other features and without consumes."""
    driver.run(EnsureAccount(), account_id=BOB)
    driver.row(Consume(feature="video"))
    for cost, feature, account_id in ((1, "sketch", ADA), (2, "video", ADA), (3, "video", BOB), (4, "video", ADA)):
        clock.move(seconds=1)
        hold = driver.row(PlaceHold(feature=feature, ttl_seconds=60, amount=4), account_id)
        driver.row(CaptureHold(hold_id=hold.id, amount=cost), account_id)

    with reading_engine(parse_database_url(url)).connect() as connection:
        listed = [list_captures(connection, "video", limit=limit) for limit in (9, 2)]

    assert [[one.row.credits_consumed for one in captures] for captures in listed] == [[4, 3, 2], [4, 3]]


def test_list_captures_gives_the_terms_of_holds(driver: WorkerDriver, url: str) -> None:
    """The terms of its hold, or None if the hold's row is missing."""
    hold = driver.row(PlaceHold(feature="video", ttl_seconds=60, usage=Usage(units=2)))
    capture = driver.row(CaptureHold(hold_id=hold.id))

    with reading_engine(parse_database_url(url)).connect() as connection:
        listed = list_captures(connection, "video", limit=9)
    run(url, "DELETE FROM credit_transactions WHERE kind = 'hold'")
    with reading_engine(parse_database_url(url)).connect() as connection:
        without = list_captures(connection, "video", limit=9)

    assert listed == [CaptureWithTerms(capture, hold.read_detail().hold)]
    assert without == [CaptureWithTerms(capture, None)]


def test_find_transaction_by_id(driver: WorkerDriver, url: str) -> None:
    """By the whole id, and on its own account only."""
    use = driver.row(Consume(feature="sketch"))
    driver.run(EnsureAccount(), GrantCredits(amount=1), GrantCredits(amount=1), account_id=BOB)

    with reading_engine(parse_database_url(url)).connect() as connection:
        ada, bob = find_account(connection, ADA), find_account(connection, BOB)
        assert ada is not None
        assert bob is not None
        found = [find_transaction(connection, ada, name) for name in (use.id, f"{use.id}.2", "x", "")]
        elsewhere = find_transaction(connection, bob, use.id)

    assert (found, elsewhere) == ([use, None, None, None], None)


def test_every_read_uses_its_index(driver: WorkerDriver, url: str) -> None:
    """The plan of each read is a search of the index made for it."""
    statements_sent: list[tuple[str, Any]] = []
    engine = reading_engine(parse_database_url(url))
    with engine.connect() as connection:
        account = _account(connection)
        event.listen(
            engine, "before_cursor_execute", lambda _c, _u, text, values, *_: statements_sent.append((text, values))
        )
        list_open_holds(connection, account, 5)
        list_captures(connection, "video", limit=5)
        find_transaction(connection, account, "00000000-0000-7000-8000-0001532deabf")

    plans = [_plan(url, text, values) for text, values in statements_sent]

    wanted = ("credit_holds_open", "credit_transactions_captures", "credit_transactions_pkey")
    # The row of each capture's hold is looked up, too.
    assert _searches(plans[1], "credit_transactions_pkey")
    assert [name for name, plan in zip(wanted, plans, strict=True) if not _searches(plan, name)] == []
    # Both come out of the index in the order that is wanted.
    assert [plan for plan in plans if "Sort" in plan or "TEMP B-TREE" in plan] == []


def test_batch_prefetch_uses_indexes_on_sqlite(sqlite_url: str, clock: MovedClock) -> None:
    """Named holds and earlier transactions are found by index searches."""
    driver = open_driver(sqlite_url, clock)
    hold = driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    use = driver.row(Consume(feature="sketch"))
    store = driver.store
    assert isinstance(store, SQLiteStore)
    statements_sent: list[str] = []
    store.connection().set_trace_callback(statements_sent.append)

    driver.loads(ReleaseHold(hold_id=hold.id), Refund(transaction_id=use.id))
    store.close()

    reads = [text for text in statements_sent if "FROM credit_" in text]
    plans = [_plan(sqlite_url, text, ()) for text in reads]
    assert [plan for plan in plans if "SCAN" in plan] == []
    assert sum(_searches(plan, "credit_holds_open") for plan in plans) == 2
    assert sum(_searches(plan, "credit_transactions_about") for plan in plans) == 2


@pytest.mark.parametrize(
    ("statement", "indexes"),
    [
        (statements.OPEN_HOLDS, ("credit_holds_open",)),
        (statements.HOLDS_BY_SEQ, ("credit_holds_pkey",)),
        (statements.TRANSACTIONS_BY_SEQ, ("credit_transactions_pkey",)),
        (statements.TRANSACTIONS_ABOUT, ("credit_transactions_about",)),
    ],
)
def test_batch_prefetch_uses_indexes_on_postgres(
    migrated_postgres_url: str, statement: str, indexes: tuple[str, ...]
) -> None:
    """Each statement of the second round trip searches its index, place by place, under the writer's own settings."""
    places = '[{"account_no": 1, "seq": 1, "due_by": 1, "beyond": 2}]'
    place = parse_database_url(migrated_postgres_url)
    assert isinstance(place, PostgresServer)

    with connect(place.conninfo) as connection:
        lines = psycopg.RawCursor(connection).execute("EXPLAIN " + statement, (places,)).fetchall()

    plan = "\n".join(line for (line,) in lines)
    assert ([name for name in indexes if not _searches(plan, name)], "Seq Scan" in plan) == ([], False)


def _account(connection: Connection) -> Account:
    account = find_account(connection, ADA)
    assert account is not None
    return account


def _plan(url: str, statement: str, values: Any) -> str:
    with raw_engine(url).connect() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        if not on_sqlite:
            # On a table of ten rows PostgreSQL reads them all; what counts is that the index serves the condition.
            connection.exec_driver_sql("SET enable_seqscan = off")
            connection.exec_driver_sql("SET enable_bitmapscan = off")
        explain = "EXPLAIN QUERY PLAN " if on_sqlite else "EXPLAIN "
        return "\n".join(str(line[-1]) for line in connection.exec_driver_sql(explain + statement, values))


def _searches(plan: str, index: str) -> bool:
    on_sqlite = "USING PRIMARY KEY" if index.endswith("_pkey") else f"INDEX {index}"
    # SQLite names the index of a primary key of several columns by itself.
    automatic = index.endswith("_pkey") and "USING INDEX sqlite_autoindex_" in plan
    found = any(f"{scan} using {index}" in plan for scan in ("Scan", "Scan Backward"))
    return (found and "Index Cond" in plan) or ("SEARCH" in plan and (on_sqlite in plan or automatic))
