"""The operations over both databases: what each answers, and what it leaves behind."""

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

# Ids that only look alike, or that a database or a URL could take for something else.
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
    """The id of Ada's signup, and so of the grant that it made."""
    return (await credits.get_credit_history(ADA, kind="signup")).transactions[0].id


def signup_grant(grant_id: str) -> CreditGrant:
    """Six credits, all there."""
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


async def test_a_first_ensure_makes_the_account(credits: CreditService) -> None:
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


async def test_a_second_ensure_changes_nothing(credits: CreditService, url: Database) -> None:
    """Asked again, the account is there, with its first label, and has one row."""
    await credits.initialize_user_credits(ADA, label="Ada")

    again = await credits.initialize_user_credits(ADA, label="Another")

    assert again == OpenedAccount(
        account_id=ADA, subscription_status="free", remaining=6, total=6, held=0, version=1, created=False
    )
    assert (await credits.get_user_credits(ADA)).label == "Ada"
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6)]


async def test_a_use_costs_its_price(credits: CreditService, clock: MovedClock) -> None:
    """A receipt has the balance right after the use, and the transaction with what was sent."""
    await credits.initialize_user_credits(ADA)
    moment = clock.move(seconds=1.5)

    receipt = await credits.consume_credit(ADA, FeatureType.SKETCH, generation_id="gen-1", metadata={"room": 7})

    assert (receipt.remaining, receipt.total, receipt.version, receipt.replayed) == (5, 6, 2, False)
    used = receipt.transaction
    assert (used.kind, used.amount, used.feature_used, used.credits_consumed) == ("consume", -1, "sketch", 1)
    assert (used.generation_id, used.metadata, used.created_at) == ("gen-1", {"room": 7}, moment)
    signup = (await credits.get_credit_history(ADA, kind="signup")).transactions[0]
    assert used.allocations == (Allocation(signup.id, "consumed", -1),)


async def test_a_generation_id_is_no_key(credits: CreditService) -> None:
    """Two uses with one generation id are two uses."""
    await credits.initialize_user_credits(ADA)

    for _ in range(2):
        await credits.consume_credit(ADA, "video", generation_id="gen-1")

    assert (await credits.get_user_credits(ADA)).remaining == 4


async def test_a_grant_is_added(credits: CreditService) -> None:
    """A grant adds to what remains and says who gave it and why."""
    await credits.initialize_user_credits(ADA)

    receipt = await credits.grant_credits(ADA, 25, reason="A late delivery", category="promo", actor="op@example.com")

    assert (receipt.remaining, receipt.total, receipt.version) == (31, 31, 2)
    given = receipt.transaction
    assert (given.kind, given.amount, given.reason, given.actor) == ("grant", 25, "A late delivery", "op@example.com")


async def test_what_is_spent_first_follows_the_burn_down(credits: CreditService) -> None:
    """A lower priority pays first, whatever came first."""
    await credits.initialize_user_credits(ADA)
    later = await credits.grant_credits(ADA, 5, priority=7)

    receipt = await credits.consume_credit(ADA, "interior")

    assert receipt.transaction.allocations == (Allocation(later.transaction.id, "consumed", -1),)


async def test_credits_for_one_feature_pay_for_no_other(credits: CreditService) -> None:
    """What is available for a feature leaves out the grants that are not for it."""
    await credits.initialize_user_credits(ADA)
    await credits.grant_credits(ADA, 10, features=["video"])

    checks = [await credits.validate_credit_usage(ADA, feature) for feature in ("video", "sketch")]

    assert [(check.available, check.remaining) for check in checks] == [(16, 16), (6, 16)]


async def test_a_check_tells_and_changes_nothing(credits: CreditService, url: Database) -> None:
    """A preview names the price and what there is, and leaves no row."""
    await credits.initialize_user_credits(ADA)

    check = await credits.validate_credit_usage(ADA, "interior")

    assert check == CreditCheck(allowed=True, feature="interior", required=1, remaining=6, available=6, unlimited=False)
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6)]


async def test_a_check_says_when_credits_are_missing(credits: CreditService) -> None:
    """At zero a use would not be allowed."""
    await credits.initialize_user_credits(ADA)
    for _ in range(6):
        await credits.consume_credit(ADA, "interior")

    check = await credits.validate_credit_usage(ADA, "interior")

    assert (check.allowed, check.required, check.available) == (False, 1, 0)


async def test_an_unlimited_plan_costs_nothing(credits: CreditService) -> None:
    """On `pro` a use is recorded and costs 0; what remains keeps its number."""
    await credits.initialize_user_credits(ADA)

    status = await credits.update_subscription_status(ADA, SubscriptionStatus.PRO, reason="checkout")
    receipt = await credits.consume_credit(ADA, "interior")

    assert status.transaction is not None
    assert (status.subscription_status, status.transaction.kind, status.version) == ("pro", "plan_change", 2)
    assert (receipt.remaining, receipt.transaction.amount, receipt.transaction.credits_consumed) == (6, 0, 0)
    assert (await credits.get_user_credits(ADA)).unlimited
    assert (await credits.validate_credit_usage(ADA, "interior")).required == 0


async def test_the_plan_it_is_on_is_no_change(credits: CreditService, url: Database) -> None:
    """Putting an account on its own plan answers, and leaves no row."""
    await credits.initialize_user_credits(ADA)

    status = await credits.update_subscription_status(ADA, "free")

    assert status == PlanStatus(
        account_id=ADA, subscription_status="free", remaining=6, total=6, held=0, version=1, transaction=None
    )
    assert len(ledger_of(url, ADA)) == 1


async def test_the_catalog_tells_its_version(credits: CreditService) -> None:
    """A fresh database is priced by the first version: the catalog that the service was given."""
    priced_by = await credits.get_catalog()

    assert (priced_by.version, priced_by.catalog) == (1, DEFAULT_CATALOG)


async def test_ids_are_compared_by_their_characters(credits: CreditService) -> None:
    """Case, spaces, accents, emoji and slashes make other accounts, each with its own credits."""
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
async def test_metadata_comes_back_as_it_was_sent(
    credits: CreditService, url: Database, metadata: dict[str, Any]
) -> None:
    """Metadata keeps its order, its numbers and its characters, byte for byte on both databases."""
    await credits.initialize_user_credits(ADA)

    receipt = await credits.consume_credit(ADA, "interior", metadata=metadata, idempotency_key="once")
    again = await credits.consume_credit(ADA, "interior", metadata=metadata, idempotency_key="once")

    kept = (await credits.get_credit_history(ADA, kind="consume")).transactions[0].metadata
    assert (receipt.transaction.metadata, kept, again.replayed) == (metadata, metadata, True)
    assert list(kept or {}) == list(metadata)


async def test_an_account_keeps_its_metadata(credits: CreditService, url: Database) -> None:
    """An account's own metadata stands on its row, as canonical text."""
    await credits.initialize_user_credits(ADA, metadata={"b": 1.0, "a": ["é"]})

    assert rows(url, "SELECT metadata FROM credit_accounts") == [('{"b":1.0,"a":["é"]}',)]


async def test_the_view_of_grants_shows_what_remains(credits: CreditService, url: Database, clock: MovedClock) -> None:
    """People and reports see each grant: live, pending and ended, with its terms."""
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


async def test_the_outbox_names_what_a_change_touched(credits: CreditService, url: Database) -> None:
    """Each batch with rows leaves one entry: the account and the first and last `seq` written."""
    await credits.initialize_user_credits(ADA)
    await credits.consume_credit(ADA, "interior")
    await credits.get_user_credits(ADA)

    assert [touched for (touched,) in rows(url, "SELECT touched FROM outbox ORDER BY id")] == [
        f'[["{ADA}",1,1]]',
        f'[["{ADA}",2,2]]',
    ]
