"""Finding what was: the row of every instant, in few look-ups however long the account is; and what surrounds a row."""

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
from sixpence.ledger.reads.point_in_time import LAST_AT, SINCE_MAX, find_last_at, list_between, look_around
from tests.ledger.databases import rows, run
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, open_driver

LONG = 100_000
# Two rows an instant; beside it stands an account with the next number, whose rows no look may meet.
FILL = f"""
    INSERT INTO credit_transactions (account_no, seq, id, account_id, kind, amount, balance_after, total_after,
        held_after, plan, detail, allocations, hash_format, hash, created_at, recorded_at, about_seq)
    WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {LONG})
    SELECT a.column1, n, 'id-' || n, 'long', 'consume', 0, n, n, 0, 'free', '{{}}', '[]', 2, CAST('' AS BLOB),
        1000 + n / 2, n, CASE WHEN n > 1 AND n < {SINCE_MAX + 3} THEN 1 END
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


def test_the_row_of_every_instant(url: str, clock: MovedClock) -> None:
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
        found = {at: _seq(find_last_at(reading, account, at)) for at in range(first - 2, last + 3)}
    engine.dispose()

    walked = {at: max((seq for seq, made_at in ledger if made_at <= at), default=None) for at in found}
    assert found == walked
    assert found[first - 1] is None
    assert found[last + 2] == 31


def test_later_rows_than_the_account_shows_are_not_there(connection: Connection, long_account: Account) -> None:
    """A look holds on to the version that it began with, whatever was written since."""
    earlier = Account(account_no=7, account_id="long", seq=10)

    found = find_last_at(connection, earlier, 2**62)

    assert _seq(found) == 10


def test_few_rows_are_read_of_a_long_account(connection: Connection, long_account: Account) -> None:
    """Of 100,000 rows some twenty are looked up, by the primary key, wherever the instant is."""
    instants = (0, 1_000, 1_001, 1_000 + LONG // 4, 1_000 + LONG // 2, 2**62)

    found = [_seq(find_last_at(connection, long_account, at)) for at in instants]
    worked = [_work(connection, at) for at in instants]

    assert found == [None, 1, 3, LONG // 2 + 1, LONG, LONG]
    # On PostgreSQL rows that were met, on SQLite steps of its machine; a scan would take hundreds of thousands.
    assert max(worked) < (25 if connection.dialect.name == "postgresql" else 2_500), worked


def test_a_gap_is_no_balance(url: str, clock: MovedClock) -> None:
    """Where a row that has to be looked up is gone, nothing is told of what was: it could be anything."""
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
            find_last_at(reading, account, clock.at)
        with pytest.raises(BrokenLedgerError):
            list_between(reading, account, above=1, up_to=4)
    engine.dispose()


def test_the_rows_between_two_versions(connection: Connection, long_account: Account) -> None:
    """Above the one, up to the other, oldest first, of this account."""
    found = list_between(connection, long_account, above=3, up_to=6)

    assert [(row.account_no, row.seq) for row in found] == [(7, 4), (7, 5), (7, 6)]


def test_what_came_since_is_bounded(connection: Connection, long_account: Account) -> None:
    """Of more than 1,000 rows about one the newest are read, and it is said that there are more."""
    (first,) = list_between(connection, long_account, above=0, up_to=1)

    around = look_around(connection, long_account, first)

    assert around.is_cut
    assert [row.seq for row in around.past.about(1)] == list(range(3, SINCE_MAX + 3))


def test_the_surroundings_of_a_row(url: str, clock: MovedClock) -> None:
    """The grants it moved, what it is about, and what came of it; not what only lies near it."""
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
        around = {row.seq: look_around(reading, account, row) for row in (used, back, placed, longer)}
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
        (row,) = list_between(reading, account, above=1, up_to=2)
    engine.dispose()

    assert (row.metadata, row.metadata_digest is not None) == (None, True)
    assert row.id == transaction_id(row.account_no, 2, row.created_at)


def _seq(row: Transaction | None) -> int | None:
    return None if row is None else row.seq


def _work(connection: Connection, instant: int) -> int:
    """How much a database does to find the row of an instant."""
    asked = {"top": LONG, "instant": instant, "number": 7}
    if connection.dialect.name == "postgresql":
        plan = connection.execute(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {LAST_AT}"), asked).scalar_one()
        document = json.loads(plan) if isinstance(plan, str) else plan
        return _rows_met(document[0]["Plan"])
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver: Any = connection.connection.dbapi_connection
    driver.set_progress_handler(count, 1)
    connection.execute(text(LAST_AT), asked).all()
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
