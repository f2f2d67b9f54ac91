"""The operations over every database: their results, and what they write."""

from datetime import timedelta
from typing import Any

import pytest

from sixpence.core.account.movement import Allocation
from sixpence.core.catalog.catalog import DEFAULT_CATALOG
from sixpence.service.credits import CreditService
from sixpence.service.names import FeatureType, SubscriptionStatus
from sixpence.service.results.receipts import OpenedAccount, PlanStatus
from sixpence.service.results.results import CreditCheck
from sixpence.service.results.user_credits import CreditGrant, UserCredits
from tests.ledger.databases import Database, ledger_of, rows
from tests.ledger.moved_clock import START, MovedClock

ADA = "ada@example.com"

# Ids that look alike, or that a database or a URL could misread.
ODD_IDS = (
    "Ada@example.com",
    "ada@example.com ",
    "team/7?a=b#c",
    "🪙 zoë %2F",
    "'; DROP TABLE--",
    "\\x41",
    "\u00e9",
    "e\u0301",
    "x" * 255,
)


async def signup_id(credits: CreditService) -> str:
    """The id of Ada's signup, which is also the id of its grant."""
    return (await credits.get_credit_history(ADA, kind="signup")).transactions[0].id


def signup_grant(grant_id: str) -> CreditGrant:
    """The signup grant with all six credits."""
    return CreditGrant(
        id=grant_id,
        category="signup",
        amount=6,
        remaining=6,
        held=0,
        priority=100,
        effective_at=START,
        expires_at=None,
        features=None,
        pending=False,
        over=None,
        rolled=False,
    )


async def test_initialize_creates_account(credits: CreditService) -> None:
    """A new account is on the default plan and has its signup credits."""
    opened = await credits.initialize_user_credits(ADA, label="Ada")

    assert opened == OpenedAccount(
        account_id=ADA, subscription_status="free", remaining=6, total=6, held=0, version=1, created=True
    )
    assert await credits.get_user_credits(ADA) == UserCredits(
        account_id=ADA,
        subscription_status="free",
        remaining=6,
        total=6,
        held=0,
        version=1,
        unlimited=False,
        standing="open",
        owed=0,
        overdraft=0,
        scheduled=0,
        granted_at=START,
        next_expiry_at=None,
        next_expiry_amount=0,
        next_allowance_at=None,
        next_allowance_amount=0,
        term_ends_at=None,
        trial=False,
        waiting_plan=None,
        fair_use=None,
        label="Ada",
        grants=(signup_grant(await signup_id(credits)),),
    )


async def test_second_initialize_changes_nothing(credits: CreditService, url: Database) -> None:
    """The account keeps its first label and has one row."""
    await credits.initialize_user_credits(ADA, label="Ada")

    again = await credits.initialize_user_credits(ADA, label="Another")

    assert again == OpenedAccount(
        account_id=ADA, subscription_status="free", remaining=6, total=6, held=0, version=1, created=False
    )
    assert (await credits.get_user_credits(ADA)).label == "Ada"
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6)]


async def test_consume_returns_receipt(credits: CreditService, clock: MovedClock) -> None:
    """A receipt has the balance right after the use, and the transaction with the sent fields."""
    await credits.initialize_user_credits(ADA)
    moment = clock.move(seconds=1.5)

    receipt = await credits.consume_credit(ADA, FeatureType.SKETCH, generation_id="gen-1", metadata={"room": 7})

    assert (receipt.remaining, receipt.total, receipt.version, receipt.replayed) == (5, 6, 2, False)
    used = receipt.transaction
    assert (used.kind, used.amount, used.feature_used, used.credits_consumed) == ("consume", -1, "sketch", 1)
    assert (used.generation_id, used.metadata, used.created_at) == ("gen-1", {"room": 7}, moment)
    signup = (await credits.get_credit_history(ADA, kind="signup")).transactions[0]
    assert used.allocations == (Allocation(signup.id, "consumed", -1),)


async def test_generation_id_is_not_idempotency_key(credits: CreditService) -> None:
    """Two uses with one generation id are two uses."""
    await credits.initialize_user_credits(ADA)

    for _ in range(2):
        await credits.consume_credit(ADA, "video", generation_id="gen-1")

    assert (await credits.get_user_credits(ADA)).remaining == 4


async def test_grant_adds_credits(credits: CreditService) -> None:
    """A grant adds to the remaining credits and has its actor and reason."""
    await credits.initialize_user_credits(ADA)

    receipt = await credits.grant_credits(ADA, 25, reason="A late delivery", category="promo", actor="op@example.com")

    assert (receipt.remaining, receipt.total, receipt.version) == (31, 31, 2)
    given = receipt.transaction
    assert (given.kind, given.amount, given.reason, given.actor) == ("grant", 25, "A late delivery", "op@example.com")


async def test_consume_follows_burn_down_order(credits: CreditService) -> None:
    """The grant with the lower priority pays first, although it came later."""
    await credits.initialize_user_credits(ADA)
    later = await credits.grant_credits(ADA, 5, priority=7)

    receipt = await credits.consume_credit(ADA, "interior")

    assert receipt.transaction.allocations == (Allocation(later.transaction.id, "consumed", -1),)


async def test_restricted_credits_pay_only_for_their_feature(credits: CreditService) -> None:
    """The available credits for a feature exclude grants that are limited to others."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, features=["video"])

    checks = [await credits.validate_credit_usage(ADA, feature) for feature in ("video", "sketch")]

    assert [(check.available, check.remaining) for check in checks] == [(16, 16), (6, 16)]


async def test_validate_changes_nothing(credits: CreditService, url: Database) -> None:
    """A check has the price and the balance, and writes no row."""
    await credits.initialize_user_credits(ADA)

    check = await credits.validate_credit_usage(ADA, "interior")

    assert check == CreditCheck(allowed=True, feature="interior", required=1, remaining=6, available=6, unlimited=False)
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6)]


async def test_validate_shows_insufficient_credits(credits: CreditService) -> None:
    """With no credits left a use is not allowed."""
    await credits.initialize_user_credits(ADA)
    for _ in range(6):
        await credits.consume_credit(ADA, "interior")

    check = await credits.validate_credit_usage(ADA, "interior")

    assert (check.allowed, check.required, check.available) == (False, 1, 0)


async def test_use_on_unlimited_plan_costs_nothing(credits: CreditService) -> None:
    """On `pro` a use is recorded and costs 0; the remaining credits do not change."""
    await credits.initialize_user_credits(ADA)

    status = await credits.update_subscription_status(ADA, SubscriptionStatus.PRO, reason="checkout")
    receipt = await credits.consume_credit(ADA, "interior")

    assert status.transaction is not None
    assert (status.subscription_status, status.transaction.kind, status.version) == ("pro", "plan_change", 2)
    assert (receipt.remaining, receipt.transaction.amount, receipt.transaction.credits_consumed) == (6, 0, 0)
    assert (await credits.get_user_credits(ADA)).unlimited
    assert (await credits.validate_credit_usage(ADA, "interior")).required == 0


async def test_change_to_same_plan_is_no_op(credits: CreditService, url: Database) -> None:
    """Changing to the current plan has a result and writes no row."""
    await credits.initialize_user_credits(ADA)

    status = await credits.update_subscription_status(ADA, "free")

    assert status == PlanStatus(
        account_id=ADA, subscription_status="free", remaining=6, total=6, held=0, version=1, transaction=None
    )
    assert len(ledger_of(url, ADA)) == 1


async def test_get_catalog_has_version(credits: CreditService) -> None:
    """A new database is priced by version 1: the catalog of the service."""
    priced_by = await credits.get_catalog()

    assert (priced_by.version, priced_by.catalog) == (1, DEFAULT_CATALOG)


async def test_similar_account_ids_are_distinct(credits: CreditService) -> None:
    """Ids that differ in case, spaces, accents, emoji or slashes are different accounts."""
    for account_id in (ADA, *ODD_IDS):
        await credits.initialize_user_credits(account_id)

    for uses, account_id in enumerate(ODD_IDS[:6], start=1):
        for _ in range(uses):
            await credits.consume_credit(account_id, "interior")

    left = [(await credits.get_user_credits(account_id)).remaining for account_id in (ADA, *ODD_IDS)]
    assert left == [6, 5, 4, 3, 2, 1, 0, 6, 6, 6]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"b": 1, "a": 2.50, "big": 2**70, "small": 1e-7, "whole": 100.0},
        {"straße": "Büro 🏡", 'quote"\\': "\t\n\x7f", "": None, "deep": [[{"x": [True, False]}]]},
        {"text": "😀" * 4_000},
    ],
)
async def test_metadata_round_trips(credits: CreditService, url: Database, metadata: dict[str, Any]) -> None:
    """Metadata keeps its order, numbers and characters, byte for byte on every database."""
    await credits.initialize_user_credits(ADA)

    receipt = await credits.consume_credit(ADA, "interior", metadata=metadata, idempotency_key="once")
    again = await credits.consume_credit(ADA, "interior", metadata=metadata, idempotency_key="once")

    stored = (await credits.get_credit_history(ADA, kind="consume")).transactions[0].metadata
    assert (receipt.transaction.metadata, stored, again.replayed) == (metadata, metadata, True)
    assert list(stored or {}) == list(metadata)


async def test_account_metadata_is_stored_as_canonical_text(credits: CreditService, url: Database) -> None:
    """An account's metadata is stored in its row as canonical text."""
    await credits.initialize_user_credits(ADA, metadata={"b": 1.0, "a": ["é"]})

    assert rows(url, "SELECT metadata FROM credit_accounts") == [('{"b":1.0,"a":["é"]}',)]


async def test_credit_grants_view(credits: CreditService, url: Database, clock: MovedClock) -> None:
    """The SQL view shows live, pending and ended grants with their terms."""
    await credits.initialize_user_credits(ADA)
    ends = clock.moment + timedelta(days=1)
    await credits.grant_credits(ADA, 2, category="promo", priority=5, expires_at=ends, features=["video", "sketch"])
    await credits.grant_credits(ADA, 9, category="paid", effective_at=ends)
    await credits.grant_credits(ADA, 1, priority=1)
    await credits.consume_credit(ADA, "sketch")
    await credits.consume_credit(ADA, "sketch")

    shown = rows(
        url,
        "SELECT account_id, kind, amount, remaining, held, category, priority, state FROM credit_grants ORDER BY id",
    )

    assert shown == [
        (ADA, "signup", 6, 6, 0, "signup", 100, "live"),
        (ADA, "grant", 2, 1, 0, "promo", 5, "live"),
        (ADA, "grant", 9, 9, 0, "paid", 100, "pending"),
        (ADA, "grant", 1, 0, 0, "admin", 1, "ended"),
    ]
    features = rows(url, "SELECT features FROM credit_grants WHERE features IS NOT NULL")
    assert [str(value).replace(" ", "") for (value,) in features] == ['["video","sketch"]']


async def test_outbox_entry_has_account_and_seq_range(credits: CreditService, url: Database) -> None:
    """Each batch with rows has one entry: the account and the first and last `seq` written."""
    await credits.initialize_user_credits(ADA)
    await credits.consume_credit(ADA, "interior")
    await credits.get_user_credits(ADA)

    assert [touched for (touched,) in rows(url, "SELECT touched FROM outbox ORDER BY id")] == [
        f'[["{ADA}",1,1]]',
        f'[["{ADA}",2,2]]',
    ]
