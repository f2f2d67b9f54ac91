"""Verification of a ledger: every change behind its back is found, and a clean ledger has no difference."""

import asyncio
import re
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from sixpence.core.account.chain import HASH_FORMAT, hashed_fields
from sixpence.core.values.instant import SECOND, to_wire
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.database.rows import ACCOUNT_COLUMNS, TRANSACTION_COLUMNS, transaction_from_row
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.verify.verify import DIFFERENCES_MAX, Report, verify
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import raw_engine, rows, run, run_verify, verify_clean
from tests.ledger.moved_clock import START, MovedClock

ADA, BOB = "ada@example.com", "bob@example.com"
# The row of Ada's in which every hashed column has a value.
USE = 3
# The ledger does not record these columns.
FREE = {"label", "metadata"}
OF_ADA = f"account_id = '{ADA}'"
TAMPERING = {
    f"UPDATE credit_transactions SET amount = -2, balance_after = 13 WHERE seq = 3 AND {OF_ADA}": "transaction 3",
    f"DELETE FROM credit_transactions WHERE seq = 4 AND {OF_ADA}": "seq is 4, its ledger says 3",
    f"DELETE FROM credit_transactions WHERE seq = 2 AND {OF_ADA}": "transaction 3",
    f"DELETE FROM credit_transactions WHERE {OF_ADA}": "its ledger says",
    f"DELETE FROM credit_accounts WHERE {OF_ADA}": "have no account",
    f"UPDATE credit_accounts SET live = replace(live, 'paid', 'plan') WHERE {OF_ADA}": "grants is",
    f"UPDATE credit_accounts SET live = '{{}}' WHERE {OF_ADA}": "grants is",
    f"UPDATE credit_accounts SET live = 'x' WHERE {OF_ADA}": "cannot be read",
    f"UPDATE credit_accounts SET credits_remaining = 15 WHERE {OF_ADA}": "remaining is 15, its ledger says 14",
    f"UPDATE credit_transactions SET metadata = '{{}}' WHERE seq = 3 AND {OF_ADA}": "its metadata is not",
    f"UPDATE credit_transactions SET hash_format = {HASH_FORMAT + 1} WHERE seq = 4": "hash format 3 is not known",
}


@pytest.fixture(scope="module")
def ledger(module_url: str) -> str:
    """The URL of a small ledger: two accounts, seven transactions, a grant to come. A test puts back what it takes."""
    with SyncCreditService(Ledger(module_url, clock=MovedClock())) as service:
        for account_id in (ADA, BOB):
            service.initialize_user_credits(account_id, label="L", metadata={"m": 1})
        service.grant_credits(ADA, 9, category="paid", expires_at=START + timedelta(days=9), reason="r")
        service.consume_credit(ADA, "video", generation_id="g", metadata={"n": "é"}, idempotency_key="k")
        service.grant_credits(ADA, 4, effective_at=START + timedelta(days=1), features=["sketch"])
        service.update_subscription_status(BOB, "pro")
        service.consume_credit(BOB, "video")
    return module_url


@pytest.fixture
def restored(ledger: str) -> Iterator[str]:
    """The ledger, which after the test is as it was before it."""
    kept = _kept(ledger)
    yield ledger
    _put_back(ledger, kept)
    verify_clean(ledger)


def flipped(value: Any) -> Any:
    """A value that differs in one bit, or one where there was none."""
    if value is None:
        return 1
    if isinstance(value, int):
        return value ^ 1
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    text = str(value)
    return chr(ord(text[0]) ^ 1) + text[1:]


def test_clean_ledger_has_no_difference(ledger: str) -> None:
    """Every account and transaction is counted, nothing differs, and the progress ends at the whole."""
    steps: list[tuple[int, int]] = []
    engine = reading_engine(parse_database_url(ledger))
    with engine.connect() as connection:
        report = verify(connection, progress=lambda done, total: steps.append((done, total)))
    engine.dispose()

    assert (report, report.clean) == (Report(accounts=2, transactions=7, differences=[]), True)
    assert steps[-1] == (7, 7)


def test_the_row_has_every_hashed_column(ledger: str) -> None:
    """No column of the row whose bytes are flipped below is empty, or a flip could not be seen."""
    row = transaction_from_row(
        rows(ledger, "SELECT * FROM credit_transactions WHERE seq = 3 AND account_id = :id", {"id": ADA})[0]
    )

    assert None not in hashed_fields(row)
    assert len(hashed_fields(row)) == len(TRANSACTION_COLUMNS) - len(("metadata", "hash", "hash_format", "about_seq"))


@pytest.mark.parametrize(
    ("table", "columns", "condition"),
    [
        ("credit_transactions", TRANSACTION_COLUMNS, f"account_id = '{ADA}' AND seq = {USE}"),
        ("credit_accounts", [name for name in ACCOUNT_COLUMNS if name not in FREE], f"account_id = '{ADA}'"),
    ],
)
def test_a_flipped_bit_is_found(restored: str, table: str, columns: list[str], condition: str) -> None:
    """A flipped bit in any recorded column is at least one difference, and names that account."""
    kept = _kept(restored)
    found = {}
    for column in columns:
        if (table, column) == ("credit_transactions", "seq"):
            run(restored, "DELETE FROM credit_transactions WHERE account_id = :id AND seq = 2", {"id": ADA})
        value = flipped(rows(restored, f"SELECT {column} FROM {table} WHERE {condition}")[0][0])
        assert run(restored, f"UPDATE {table} SET {column} = :value WHERE {condition}", {"value": value}) == 1
        differences = run_verify(restored).differences
        found[column] = any(ADA[1:] in line or "have no account" in line for line in differences)
        _put_back(restored, kept)

    assert found == dict.fromkeys(columns, True)


def test_tampering_is_described(restored: str) -> None:
    """The report says what is wrong with which account, in one line."""
    kept = _kept(restored)
    found = {}
    for statement in TAMPERING:
        assert run(restored, statement) >= 1
        found[statement] = run_verify(restored).differences
        _put_back(restored, kept)

    assert {statement: len(differences) for statement, differences in found.items()} == dict.fromkeys(TAMPERING, 1)
    assert [statement for statement, words in TAMPERING.items() if words not in found[statement][0]] == []


def test_rows_moved_to_another_account_are_found(restored: str) -> None:
    """Rows that were moved to another account are not that account's."""
    run(restored, "DELETE FROM credit_transactions WHERE account_id = :id", {"id": BOB})
    number = rows(restored, "SELECT account_no FROM credit_accounts WHERE account_id = :id", {"id": BOB})[0][0]
    run(restored, "UPDATE credit_transactions SET account_no = :no", {"no": number})

    assert len(run_verify(restored).differences) == 2


def test_erased_metadata_is_no_difference(restored: str) -> None:
    """The chain covers the digest: a customer's data can be blanked, which is counted, and the ledger is proved."""
    assert run(restored, "UPDATE credit_transactions SET metadata = NULL WHERE metadata IS NOT NULL") == 3

    assert run_verify(restored) == Report(accounts=2, transactions=7, erased=3)
    assert run_verify(restored, decide=True) == Report(accounts=2, transactions=7, erased=3)


def test_an_account_ahead_of_the_databases_clock_is_noted(url: str) -> None:
    """An account more than a minute ahead gives a note, and no difference; less than a minute gives neither."""
    ahead, near = MovedClock(), MovedClock()
    for clock, seconds in ((ahead, 600), (near, 30)):
        clock.at = time.time_ns() // 1_000 + seconds * SECOND
    for account_id, clock in ((ADA, ahead), (BOB, near)):
        with SyncCreditService(Ledger(url, clock=clock)) as service:
            service.initialize_user_credits(account_id)

    report = run_verify(url)

    (note,) = report.notes
    pattern = rf"account .{ADA}.: its last transaction, of {to_wire(ahead.at)}, is (\d+) seconds ahead of the"
    found = re.match(pattern, note)
    assert (report.clean, report.differences) == (True, [])
    assert found is not None
    assert 500 < int(found[1]) <= 600


@pytest.mark.parametrize("last_at", ["x", 2**62])
def test_invalid_last_at_is_a_difference(sqlite_url: str, last_at: object) -> None:
    """An invalid last instant is a difference, and does not stop the run."""
    asyncio.run(_small(sqlite_url))
    run(sqlite_url, "UPDATE credit_accounts SET last_at = :at WHERE account_id = :id", {"at": last_at, "id": BOB})

    report = run_verify(sqlite_url)

    assert ([text[:25] for text in report.differences], report.notes) == (["account 'bob@example.com'"], [])


def test_a_number_that_does_not_follow_from_the_id_is_found(restored: str) -> None:
    """An account with an arbitrary number."""
    run(restored, "INSERT INTO credit_accounts (account_no, account_id) VALUES (7, 'eve@example.com')")

    assert run_verify(restored).differences == ["account 'eve@example.com': number 7 does not follow from its id"]


def test_verification_continues_after_a_difference(restored: str) -> None:
    """One broken account hides no other."""
    run(restored, "UPDATE credit_transactions SET plan = 'gold' WHERE seq = 1")

    assert len(run_verify(restored).differences) == 2


def test_text_in_number_column_is_found(sqlite_url: str) -> None:
    """SQLite takes any value in any column: what cannot even be computed with is a difference, not a crash."""
    asyncio.run(_small(sqlite_url))
    for column in ("created_at", "seq", "amount", "detail"):
        run(
            sqlite_url, f"UPDATE credit_transactions SET {column} = 'x' WHERE account_id = :id AND seq = 1", {"id": BOB}
        )

        assert [difference[:25] for difference in run_verify(sqlite_url).differences] == ["account 'bob@example.com'"]


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("account", "UPDATE credit_accounts SET account_no = 'x' WHERE account_id = 'bob@example.com'"),
        ("ledger", "UPDATE credit_transactions SET account_no = 'x' WHERE account_id = 'bob@example.com'"),
        ("head", "UPDATE credit_accounts SET head = 4611686018427387904 WHERE account_id = 'bob@example.com'"),
        ("bytes", "UPDATE credit_transactions SET plan = CAST(x'ff' AS TEXT) WHERE account_id = 'bob@example.com'"),
    ],
)
def test_invalid_column_values_do_not_stop_the_run(sqlite_url: str, table: str, statement: str) -> None:
    """Text for a number and bytes that are no text are differences of their account; the others are still proved."""
    asyncio.run(_small(sqlite_url))
    run(sqlite_url, statement)

    report = run_verify(sqlite_url)

    assert (report.clean, report.accounts) == (False, 2)


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        (
            "UPDATE catalog_versions SET document = replace(document, '10', '99')",
            "catalog version 1: its document is not the one that was applied",
        ),
        (
            "UPDATE catalog_versions SET document = 'x'",
            "catalog version 1: its document is not the one that was applied",
        ),
        (
            "UPDATE catalog_versions SET digest = 'x'",
            "catalog version 1: its document is not the one that was applied",
        ),
        ("UPDATE catalog_versions SET version = 2", "catalog version 1 is missing"),
        ("DELETE FROM catalog_versions", "there is no catalog, so nothing says what things cost"),
    ],
)
def test_a_tampered_catalog_is_found(url: str, statement: str, difference: str) -> None:
    """The catalogs are verified, too: each version exists, and is the one that was applied."""
    asyncio.run(_small(url))
    run(url, statement)

    assert run_verify(url).differences == [difference]


def test_the_report_stops_at_a_hundred(sqlite_url: str) -> None:
    """Only the first hundred differences are reported."""
    asyncio.run(_small(sqlite_url))
    with raw_engine(sqlite_url).begin() as connection:
        for number in range(DIFFERENCES_MAX + 20):
            connection.exec_driver_sql(
                f"INSERT INTO credit_accounts (account_no, account_id) VALUES ({number}, 'x{number}')"
            )

    assert len(run_verify(sqlite_url).differences) == DIFFERENCES_MAX


async def test_concurrent_writes_are_no_difference(url: str) -> None:
    """Verify reads one snapshot: accounts made and used while it runs do not disturb it."""
    reports: list[Report] = []
    made = 0

    async def load(service: CreditService) -> None:
        nonlocal made
        while made < 6 or len(reports) < 12:
            name = f"user-{made}@example.com"
            await service.initialize_user_credits(name)
            await asyncio.gather(service.consume_credit(name, "video"), service.consume_credit(ADA, "video"))
            made += 1

    async with CreditService(url) as service:
        await service.initialize_user_credits(ADA)
        await service.grant_credits(ADA, 1_000_000)
        loading = asyncio.create_task(load(service))
        while not loading.done():
            reports.append(await asyncio.to_thread(run_verify, url))
        await loading

    assert [report.differences for report in reports] == [[]] * len(reports)
    assert reports[0].transactions < reports[-1].transactions
    assert verify_clean(url).accounts == made + 1


async def _small(url: str) -> None:
    async with CreditService(url) as service:
        for account_id in (ADA, BOB):
            await service.initialize_user_credits(account_id)
        await service.consume_credit(BOB, "video")


def _kept(url: str) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(url, f"SELECT * FROM {table}") for table in ("credit_accounts", "credit_transactions")}


def _put_back(url: str, kept: dict[str, list[tuple[Any, ...]]]) -> None:
    with raw_engine(url).begin() as connection:
        for (table, lines), columns in zip(kept.items(), (ACCOUNT_COLUMNS, TRANSACTION_COLUMNS), strict=True):
            connection.execute(text(f"DELETE FROM {table}"))
            insert = text(f"INSERT INTO {table} VALUES ({', '.join(f':{name}' for name in columns)})")
            connection.execute(insert, [dict(zip(columns, line, strict=True)) for line in lines])
