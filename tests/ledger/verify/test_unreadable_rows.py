"""Stored documents that cannot be read, however they are broken, are differences; the rest is still proved."""

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
    ("place", "told"),
    [
        (f"credit_accounts SET live = :deep WHERE {OF_BOB}", f"account '{BOB}': its live document cannot be read: "),
        (f"credit_holds SET document = :deep WHERE {OF_BOB}", "the document of a hold cannot be read: "),
        ("catalog_versions SET document = :deep", "catalog version 1: its document is not the one that was applied"),
    ],
)
def test_what_is_nested_without_an_end_is_a_difference(ledger: str, place: str, told: str) -> None:
    """It is told, and it hides nothing else."""
    assert run(ledger, f"UPDATE {place}", {"deep": DEEP}) >= 1

    report = run_verify(ledger)

    assert (report.accounts, len(report.differences)) == (2, 2)
    assert any(told in line for line in report.differences)
    assert any("remaining is 7" in line for line in report.differences)


@pytest.mark.parametrize("text", [rb'[["bob\xff",7,7]]', rb"[]\xff"])
def test_an_outbox_that_is_no_text_is_a_difference(sqlite_url: str, text: bytes) -> None:
    """SQLite keeps any bytes as text."""
    with SyncCreditService(sqlite_url) as service:
        service.initialize_user_credits(ADA)
    raw = text.replace(rb"\xff", b"\xff")
    run(sqlite_url, "UPDATE outbox SET touched = CAST(:raw AS TEXT)", {"raw": raw})

    (told,) = run_verify(sqlite_url).differences

    assert told.startswith("the outbox cannot be read: it is no text: ")


def test_an_account_that_cannot_be_read_stops_no_other(ledger: str) -> None:
    """A command for it fails by itself, and its neighbours in the batch go on."""
    run(ledger, f"UPDATE credit_accounts SET live = :deep WHERE {OF_BOB}", {"deep": DEEP})

    bobs, adas = asyncio.run(_use_together(ledger))

    assert isinstance(bobs, InternalError)
    assert isinstance(adas, Receipt)


async def _use_together(url: str) -> list[object]:
    """What becomes of a use of Bob's and one of Ada's that are asked for at once."""
    async with CreditService(url) as service:
        uses = (service.consume_credit(account_id, "video") for account_id in (BOB, ADA))
        return list[object](await asyncio.gather(*uses, return_exceptions=True))
