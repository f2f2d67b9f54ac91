"""Unreadable stored documents are differences; all other accounts are still verified."""

import asyncio

import pytest

from sixpence.core.errors import InternalError
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import Receipt
from tests.ledger.databases import run, run_verify

ADA, BOB = "ada@example.com", "bob@example.com"
DEEP = '{"x":' + "[" * 50_000 + "]" * 50_000 + "}"
OF_BOB = f"account_no = (SELECT account_no FROM credit_accounts WHERE account_id = '{BOB}')"


@pytest.fixture
def ledger(url: str) -> str:
    """Two accounts with an open hold each; Ada's balance is wrong, and nothing else."""
    with SyncCreditService(url) as service:
        for account_id in (ADA, BOB):
            service.initialize_user_credits(account_id)
            service.place_hold(account_id, "video")
    run(url, "UPDATE credit_accounts SET credits_remaining = 7 WHERE account_id = :id", {"id": ADA})
    return url


@pytest.mark.parametrize(
    ("place", "difference"),
    [
        (f"credit_accounts SET live = :deep WHERE {OF_BOB}", f"account '{BOB}': its live document cannot be read: "),
        (f"credit_holds SET document = :deep WHERE {OF_BOB}", "the document of a hold cannot be read: "),
        ("catalog_versions SET document = :deep", "catalog version 1: its document is not the one that was applied"),
    ],
)
def test_deeply_nested_document_is_a_difference(ledger: str, place: str, difference: str) -> None:
    """It is reported, and hides no other difference."""
    assert run(ledger, f"UPDATE {place}", {"deep": DEEP}) >= 1

    report = run_verify(ledger)

    assert (report.accounts, len(report.differences)) == (2, 2)
    assert any(difference in line for line in report.differences)
    assert any("remaining is 7" in line for line in report.differences)


@pytest.mark.parametrize("text", [rb'[["bob\xff",7,7]]', rb"[]\xff"])
def test_outbox_with_invalid_utf8_is_a_difference(sqlite_url: str, text: bytes) -> None:
    """SQLite stores any bytes as text."""
    with SyncCreditService(sqlite_url) as service:
        service.initialize_user_credits(ADA)
    raw = text.replace(rb"\xff", b"\xff")
    run(sqlite_url, "UPDATE outbox SET touched = CAST(:raw AS TEXT)", {"raw": raw})

    (difference,) = run_verify(sqlite_url).differences

    assert difference.startswith("the outbox cannot be read: it is no text: ")


def test_unreadable_account_delays_no_other(ledger: str) -> None:
    """Its command fails alone; other commands of the batch succeed."""
    run(ledger, f"UPDATE credit_accounts SET live = :deep WHERE {OF_BOB}", {"deep": DEEP})

    bobs, adas = asyncio.run(_use_together(ledger))

    assert isinstance(bobs, InternalError)
    assert isinstance(adas, Receipt)


async def _use_together(url: str) -> list[object]:
    """The results of a use of Bob's and one of Ada's that are sent together."""
    async with CreditService(url) as service:
        uses = (service.consume_credit(account_id, "video") for account_id in (BOB, ADA))
        return list[object](await asyncio.gather(*uses, return_exceptions=True))
