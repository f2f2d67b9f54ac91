"""Consumption: priced uses, checks beforehand, estimates and what an account shows, over every database."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from sixpence.core.catalog.catalog import TokenRates
from sixpence.core.catalog.price import Usage
from sixpence.core.refusals import (
    InsufficientCreditsError,
    TransactionNotFoundError,
    UnknownFeatureError,
    UnpricedUsageError,
)
from sixpence.service.credits import CreditService
from sixpence.service.results.estimates import CreditEstimate, PastPrices
from sixpence.service.results.results import CreditCheck
from tests.ledger.databases import Database, apply_catalog
from tests.ledger.moved_clock import START, MovedClock
from tests.service.full_catalog import CATALOG

ADA = "ada@example.com"
LARGE = Usage(model="large", input_tokens=100, output_tokens=10)


@pytest.fixture
async def ada(priced: CreditService) -> CreditService:
    """The service, in which Ada has six credits."""
    await priced.initialize_user_credits(ADA)
    return priced


@pytest.mark.parametrize(
    ("feature", "used", "costs"),
    [
        ("draw", {}, 1),
        ("draw", {"units": 3}, 3),
        ("render", {"units": 0}, 0),
        ("render", {"units": 21}, 6),
        ("chat", {"usage": LARGE}, 2),
    ],
)
async def test_check_estimate_and_consume_agree_on_price(
    ada: CreditService, feature: str, used: dict[str, Any], costs: int
) -> None:
    """The check, the estimate and the use have one price, and the ledger has the usage."""
    check = await ada.validate_credit_usage(ADA, feature, **used)
    estimate = await ada.estimate(feature, **used) if used else None
    receipt = await ada.consume_credit(ADA, feature, **used)

    assert check == CreditCheck(
        allowed=True, feature=feature, required=costs, remaining=6, available=6, unlimited=False
    )
    assert estimate in (None, CreditEstimate(feature=feature, catalog_version=1, price=costs, past=()))
    row = receipt.transaction
    assert (row.credits_consumed, row.price, row.catalog_version) == (costs, costs, 1)
    assert row.usage == (used.get("usage") or (Usage(**used) if used else None))


@pytest.mark.parametrize(
    ("feature", "used", "field"),
    [
        ("chat", {}, "usage.model"),
        ("chat", {"units": 3}, "units"),
        ("chat", {"usage": Usage(model="huge", input_tokens=1)}, "usage.model"),
        ("chat", {"usage": Usage(model="small")}, "usage.input_tokens"),
        ("draw", {"usage": LARGE}, "usage.model"),
    ],
)
async def test_unpriced_usage_is_refused(ada: CreditService, feature: str, used: dict[str, Any], field: str) -> None:
    """A check, a use and a hold refuse an unpriced usage with the field at fault."""
    for ask in (ada.validate_credit_usage, ada.consume_credit, ada.place_hold):
        with pytest.raises(UnpricedUsageError) as refused:
            await ask(ADA, feature, **used)
        assert refused.value.field == field


async def test_estimate_uses_past_captures(ada: CreditService) -> None:
    """Without a usage the estimate has what past captures would cost now, for each model."""
    await ada.grant_credits(ADA, 10_000)
    before = await ada.estimate("chat")
    for tokens in range(1_000, 21_000, 1_000):
        placed = await ada.place_hold(ADA, "chat", amount=100)
        await ada.capture_hold(ADA, placed.hold_id, usage=Usage(model="small", input_tokens=tokens))
    placed = await ada.place_hold(ADA, "chat", amount=100)
    await ada.capture_hold(ADA, placed.hold_id, usage=LARGE)

    after = await ada.estimate("chat")

    assert before == CreditEstimate(feature="chat", catalog_version=1, price=None, past=())
    assert after.price is None
    assert after.past == (
        PastPrices(model="small", count=20, p50=10, p95=19),
        PastPrices(model="large", count=1, p50=2, p95=2),
    )


async def test_estimate_uses_hold_usage_of_whole_captures(ada: CreditService) -> None:
    """A capture without a usage counts as its hold's usage; a capture of an amount counts as that amount."""
    await ada.grant_credits(ADA, 10_000)
    for tokens in (1_000, 3_000, 5_000):
        whole = await ada.place_hold(ADA, "chat", usage=Usage(model="small", input_tokens=tokens))
        await ada.capture_hold(ADA, whole.hold_id)
    part = await ada.place_hold(ADA, "chat", usage=LARGE)
    await ada.capture_hold(ADA, part.hold_id, amount=1)

    estimate = await ada.estimate("chat")

    assert estimate.past == (
        PastPrices(model="small", count=3, p50=3, p95=5),
        PastPrices(model=None, count=1, p50=1, p95=1),
    )


async def test_estimate_reprices_whole_captures_by_current_catalog(
    ada: CreditService, url: Database, clock: MovedClock
) -> None:
    """A covered hold, or one placed at an earlier price, counts at the current price of its usage."""
    dearer = TokenRates(input=7)
    chat = msgspec.structs.replace(CATALOG.features["chat"], models={"small": dearer})
    catalog = msgspec.structs.replace(CATALOG, features={**CATALOG.features, "chat": chat})
    await ada.update_subscription_status(ADA, "max")
    covered = await ada.place_hold(ADA, "chat", usage=Usage(model="small", input_tokens=2_000))
    await ada.capture_hold(ADA, covered.hold_id)
    apply_catalog(url, catalog, clock())

    estimate = await ada.estimate("chat")

    assert estimate.past == (PastPrices(model="small", count=1, p50=14, p95=14),)


async def test_estimate_of_call_price_uses_no_captures(ada: CreditService) -> None:
    """A feature with one price for a call has it; an unknown feature is refused."""
    assert (await ada.estimate("draw")).price == 1
    with pytest.raises(UnknownFeatureError):
        await ada.estimate("cinema")


async def test_user_credits_show_scheduled_expiring_restricted_and_held(ada: CreditService) -> None:
    """Scheduled, expiring, restricted and held credits are shown separately. The next expiry excludes held credits."""
    soon = START + timedelta(days=1)
    await ada.grant_credits(ADA, 5, expires_at=soon, features=["render"], category="promo", priority=1)
    await ada.grant_credits(ADA, 7, effective_at=START + timedelta(hours=1), expires_at=soon)
    await ada.place_hold(ADA, "render", amount=2)

    now = await ada.get_user_credits(ADA)

    assert (now.remaining, now.held, now.scheduled, now.total) == (9, 2, 7, 11)
    assert (now.next_expiry_at, now.next_expiry_amount) == (soon, 3)
    shown = [(grant.amount, grant.remaining, grant.held, grant.pending, grant.features) for grant in now.grants]
    assert shown == [(5, 5, 2, False, ("render",)), (7, 7, 0, True, None), (6, 6, 0, False, None)]


async def test_insufficient_credits_error_has_held_scheduled_and_next_allowance(ada: CreditService) -> None:
    """The refusal has held and scheduled credits, and the next allowance if the plan gives one."""
    await ada.grant_credits(ADA, 7, effective_at=START + timedelta(days=1))
    await ada.place_hold(ADA, "draw", amount=6)
    with pytest.raises(InsufficientCreditsError) as on_free:
        await ada.consume_credit(ADA, "draw")
    await ada.update_subscription_status(ADA, "basic")
    with pytest.raises(InsufficientCreditsError) as on_basic:
        await ada.consume_credit(ADA, "draw", units=101)
    await ada.cancel_subscription(ADA)
    with pytest.raises(InsufficientCreditsError) as cancelled:
        await ada.consume_credit(ADA, "draw", units=101)

    assert (on_free.value.held, on_free.value.scheduled, on_free.value.next_allowance_at) == (6, 7, None)
    assert on_basic.value.next_allowance_at == "2026-04-01T12:00:00.000000Z"
    assert cancelled.value.next_allowance_at is None


async def test_get_transaction_finds_only_own_transactions(ada: CreditService) -> None:
    """A transaction is found by its id in its own account only."""
    used = await ada.consume_credit(ADA, "draw")
    await ada.initialize_user_credits("grace")

    assert await ada.get_transaction(ADA, used.transaction.id) == used.transaction
    for account_id, transaction_id in (("grace", used.transaction.id), (ADA, "no id at all")):
        with pytest.raises(TransactionNotFoundError):
            await ada.get_transaction(account_id, transaction_id)
