"""Rows of holds that differ from the ledger, orphaned holds and keys used twice: each is found."""

from collections.abc import Iterator

import msgspec
import pytest

from sixpence.core.account.commands import CaptureHold, Consume, PlaceHold, ReleaseHold
from tests.ledger.databases import rows, run, run_verify, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.forger import forge
from tests.ledger.writer.worker_driver import ADA, WorkerDriver, open_driver, stored_holds


@pytest.fixture
def driver(sqlite_url: str, clock: MovedClock) -> Iterator[WorkerDriver]:
    """Ada's account of six credits."""
    driver = open_driver(sqlite_url, clock)
    yield driver
    driver.store.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("DELETE FROM credit_holds WHERE state = 'open'", "hold 3 has no row"),
        ("DELETE FROM credit_holds WHERE state = 'released'", "hold 2 has no row"),
        ("UPDATE credit_holds SET state = 'open' WHERE seq = 2", "hold 2: state is 'open', its ledger says 'released'"),
        ("UPDATE credit_holds SET amount = 9 WHERE seq = 3", "hold 3: amount is 9, its ledger says 1"),
        ("UPDATE credit_holds SET expires_at = 9 WHERE seq = 3", "hold 3: expires_at is 9, its ledger says"),
        ("UPDATE credit_holds SET id = 'x' WHERE seq = 3", "hold 3: id is 'x', its ledger says"),
        ("UPDATE credit_holds SET document = replace(document, 'free', 'pro')", "hold 2: its document is"),
        ("UPDATE credit_holds SET document = 'x' WHERE seq = 3", "the document of a hold cannot be read"),
    ],
)
def test_changed_hold_row_is_found(driver: WorkerDriver, sqlite_url: str, statement: str, expected: str) -> None:
    """Missing and changed rows of open and of ended holds."""
    holds = [driver.row(PlaceHold(feature="sketch", ttl_seconds=60)).id for _ in range(2)]
    driver.row(ReleaseHold(hold_id=holds[0]))
    verify_clean(sqlite_url)

    assert run(sqlite_url, statement) >= 1

    (difference,) = run_verify(sqlite_url).differences
    assert difference.startswith(f"account '{ADA}': {expected}")


def test_changed_late_capture_of_hold_is_found(driver: WorkerDriver, sqlite_url: str, clock: MovedClock) -> None:
    """A hold that is marked as captured late and was not, and one that was and is not marked."""
    holds = [driver.row(PlaceHold(feature="sketch", ttl_seconds=60)).id for _ in range(2)]
    clock.move(minutes=1)
    driver.row(CaptureHold(hold_id=holds[0], late=True))
    verify_clean(sqlite_url)
    said = [hold.captured_late for hold in stored_holds(sqlite_url)]
    documents = rows(sqlite_url, "SELECT seq, document FROM credit_holds ORDER BY seq")

    differences = []
    for seq, document in documents:
        changed = (
            document[:-1] + ',"captured_late":true}' if seq == 3 else document.replace(',"captured_late":true', "")
        )
        run(sqlite_url, "UPDATE credit_holds SET document = :d WHERE seq = :s", {"d": changed, "s": seq})
        differences += run_verify(sqlite_url).differences
        run(sqlite_url, "UPDATE credit_holds SET document = :d WHERE seq = :s", {"d": document, "s": seq})

    assert said == [True, False]
    assert [text[: len(f"account '{ADA}': hold 2: its document")] for text in differences] == [
        f"account '{ADA}': hold {seq}: its document" for seq in (2, 3)
    ]


def test_orphaned_hold_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """A row of a hold without the transaction that placed it."""
    driver.row(PlaceHold(feature="sketch", ttl_seconds=60))
    run(
        sqlite_url,
        "INSERT INTO credit_holds SELECT account_no, 1, id, state, amount, expires_at, document FROM credit_holds",
    )
    number = rows(sqlite_url, "SELECT account_no FROM credit_accounts")[0][0]

    assert run_verify(sqlite_url).differences == [f"hold 1 of account number {number} was never placed"]


def test_key_used_twice_is_found(driver: WorkerDriver, sqlite_url: str) -> None:
    """Two uses under one key, in a database that lost the index which forbids it."""
    driver.run(Consume(feature="sketch"), key="k")
    run(sqlite_url, "DROP INDEX credit_transactions_key")

    forge(sqlite_url, lambda r: [*r, msgspec.structs.replace(r[1], seq=3)])

    number = rows(sqlite_url, "SELECT account_no FROM credit_accounts")[0][0]
    assert run_verify(sqlite_url).differences == [f"account number {number} has two transactions of the key 'k'"]
