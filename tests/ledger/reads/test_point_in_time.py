"""Reads of the past: the last row at an instant in few look-ups, and the rows related to a transaction."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, text

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Consume, ExtendHold, GrantCredits, PlaceHold, Refund
from sixpence.core.account.transaction import Transaction, transaction_id
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads.accounts import find_account
from sixpence.ledger.reads.point_in_time import (
    RELATED_MAX,
    TRANSACTION_AT,
    find_transaction_at,
    list_transactions_between,
    read_related_transactions,
)
from tests.ledger.databases import rows, run
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, open_driver

LONG = 100_000
# Two rows at each instant; a second account has the next number, and none of its rows may be read.
FILL = f"""
    INSERT INTO credit_transactions (account_no, seq, id, account_id, kind, amount, balance_after, total_after,
        held_after, plan, detail, allocations, hash_format, hash, created_at, recorded_at, about_seq)
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {LONG})
    SELECT a.column1, n, 'id-' || n, 'long', 'consume', 0, n, n, 0, 'free', '{{}}', '[]', 2, CAST('' AS BLOB),
        1000 + n / 2, n, CASE WHEN n > 1 AND n < {RELATED_MAX + 3} THEN 1 END
    FROM counted CROSS JOIN (VALUES (7), (8)) AS a
"""


@pytest.fixture(scope="module")
def connection(module_url: str) -> Iterator[Connection]:
    """A connection that reads a database with very many rows, two at each instant from 1001 on."""
    ledger = Ledger(module_url)
    ledger.open()
    ledger.close()
    run(module_url, FILL.replace("BLOB", "bytea") if module_url.startswith("postgresql") else FILL)
    if module_url.startswith("postgresql"):
        run(module_url, "ANALYZE credit_transactions")
    engine = reading_engine(parse_database_url(module_url))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def long_account() -> Account:
    """The account with these rows."""
    return Account(account_no=7, account_id="long", seq=LONG)


def test_find_transaction_at_every_instant(url: str, clock: MovedClock) -> None:
    """At each instant it is the last row at or before it, as a walk over all rows finds it; before the first none."""
    driver = open_driver(url, clock)
    for number in range(30):
        clock.move(microseconds=number % 3)  # some instants have several rows, some none
        driver.row(GrantCredits(amount=1) if number % 2 else Consume(feature="sketch"))
    ledger = rows(url, "SELECT seq, created_at FROM credit_transactions ORDER BY seq")
    first, last = ledger[0][1], ledger[-1][1]
    engine = reading_engine(parse_database_url(url))

    with engine.connect() as reading:
        account = find_account(reading, ADA)
        assert account is not None
        found = {at: _seq(find_transaction_at(reading, account, at)) for at in range(first - 2, last + 3)}
    engine.dispose()

    walked = {at: max((seq for seq, made_at in ledger if made_at <= at), default=None) for at in found}
    assert found == walked
    assert found[first - 1] is None
    assert found[last + 2] == 31


def test_find_transaction_at_ignores_rows_after_the_version(connection: Connection, long_account: Account) -> None:
    """Only rows up to the given version of the account are read."""
    earlier = Account(account_no=7, account_id="long", seq=10)

    found = find_transaction_at(connection, earlier, 2**62)

    assert _seq(found) == 10


def test_find_transaction_at_reads_few_rows(connection: Connection, long_account: Account) -> None:
    """Of 100,000 rows some twenty are looked up, by the primary key, wherever the instant is."""
    instants = (0, 1_000, 1_001, 1_000 + LONG // 4, 1_000 + LONG // 2, 2**62)

    found = [_seq(find_transaction_at(connection, long_account, at)) for at in instants]
    worked = [_work(connection, at) for at in instants]

    assert found == [None, 1, 3, LONG // 2 + 1, LONG, LONG]
    # On PostgreSQL rows that were met, on SQLite steps of its machine; a scan would take hundreds of thousands.
    assert max(worked) < (25 if connection.dialect.name == "postgresql" else 2_500), worked


def test_gap_raises(url: str, clock: MovedClock) -> None:
    """A missing row raises an error, because its balance is unknown."""
    driver = open_driver(url, clock)
    for _ in range(5):
        clock.move(seconds=1)
        driver.row(GrantCredits(amount=1))
    run(url, "DELETE FROM credit_transactions WHERE seq = 3")
    engine = reading_engine(parse_database_url(url))

    with engine.connect() as reading:
        account = find_account(reading, ADA)
        assert account is not None
        with pytest.raises(BrokenLedgerError, match=r"the ledger of 'ada@example\.com' has a gap"):
            find_transaction_at(reading, account, clock.at)
        with pytest.raises(BrokenLedgerError):
            list_transactions_between(reading, account, above=1, up_to=4)
    engine.dispose()


def test_list_transactions_between(connection: Connection, long_account: Account) -> None:
    """Above the one, up to the other, oldest first, of this account."""
    found = list_transactions_between(connection, long_account, above=3, up_to=6)

    assert [(row.account_no, row.seq) for row in found] == [(7, 4), (7, 5), (7, 6)]


def test_related_transactions_are_limited(connection: Connection, long_account: Account) -> None:
    """Of more than 1,000 rows about one the newest are read, and `is_cut` is set."""
    (first,) = list_transactions_between(connection, long_account, above=0, up_to=1)

    around = read_related_transactions(connection, long_account, first)

    assert around.is_cut
    assert [row.seq for row in around.past.about(1)] == list(range(3, RELATED_MAX + 3))


def test_read_related_transactions(url: str, clock: MovedClock) -> None:
    """The grants that it moves, the row that it is about, and later rows about it; no others."""
    driver = open_driver(url, clock)
    given = driver.row(GrantCredits(amount=4, priority=1))
    driver.row(GrantCredits(amount=1, priority=500))
    used = driver.row(Consume(feature="video"))
    back = driver.row(Refund(transaction_id=used.id, amount=1))
    placed = driver.row(PlaceHold(feature="video", ttl_seconds=60))
    longer = driver.row(ExtendHold(hold_id=placed.id, ttl_seconds=90))
    engine = reading_engine(parse_database_url(url))

    with engine.connect() as reading:
        account = find_account(reading, ADA)
        assert account is not None
        around = {row.seq: read_related_transactions(reading, account, row) for row in (used, back, placed, longer)}
    engine.dispose()

    assert {seq: (sorted(one.past.rows), one.is_cut) for seq, one in around.items()} == {
        used.seq: ([given.seq, used.seq, back.seq], False),
        back.seq: ([given.seq, used.seq, back.seq], False),
        placed.seq: ([1, given.seq, placed.seq, longer.seq], False),
        longer.seq: ([placed.seq, longer.seq], False),
    }


def test_metadata_is_not_read(url: str, clock: MovedClock) -> None:
    """It may be large, and no statement shows it; its digest stays."""
    driver = open_driver(url, clock)
    driver.row(GrantCredits(amount=4, metadata='{"a":1}'))
    engine = reading_engine(parse_database_url(url))

    with engine.connect() as reading:
        account = find_account(reading, ADA)
        assert account is not None
        (row,) = list_transactions_between(reading, account, above=1, up_to=2)
    engine.dispose()

    assert (row.metadata, row.metadata_digest is not None) == (None, True)
    assert row.id == transaction_id(row.account_no, 2, row.created_at)


def _seq(row: Transaction | None) -> int | None:
    return None if row is None else row.seq


def _work(connection: Connection, instant: int) -> int:
    """How much a database does to find the row of an instant."""
    values = {"top": LONG, "instant": instant, "number": 7}
    if connection.dialect.name == "postgresql":
        plan = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {TRANSACTION_AT}"), values).scalar_one()
        document = json.loads(plan) if isinstance(plan, str) else plan
        return _rows_met(document[0]["Plan"])
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver: Any = connection.connection.dbapi_connection
    driver.set_progress_handler(count, 1)
    connection.execute(text(TRANSACTION_AT), values).all()
    driver.set_progress_handler(None, 0)
    return steps


def _rows_met(node: dict[str, Any]) -> int:
    """How many rows of the ledger a plan met, those that it passed over among them."""
    met = 0
    if node.get("Relation Name") == "credit_transactions":
        each = (
            node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        )
        met = round(each * node["Actual Loops"])
    return met + sum(_rows_met(below) for below in node.get("Plans", ()))
