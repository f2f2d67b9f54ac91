"""One account with every kind of credits, shown in its state, its history and a refusal.

The credits are scheduled, expired, restricted, held and refunded; over every database, without HTTP.
"""

from datetime import timedelta

import pytest

from sixpence.core.refusals import InsufficientCreditsError
from sixpence.service.credits import CreditService
from tests.ledger.moved_clock import START, MovedClock

ADA = "ada@example.com"
HOUR = timedelta(hours=1)


@pytest.fixture
async def ada(priced: CreditService, clock: MovedClock) -> CreditService:
    """Two hours after Ada's account was created: some of her credits have expired, and some take effect later."""
    await priced.initialize_user_credits(ADA)
    await priced.grant_credits(ADA, 4, category="promo", priority=2, expires_at=START + HOUR)
    await priced.grant_credits(ADA, 5, priority=1, expires_at=START + 24 * HOUR, features=["render"])
    await priced.grant_credits(ADA, 7, effective_at=START + 3 * HOUR, expires_at=START + 48 * HOUR)
    rendered = await priced.consume_credit(ADA, "render", units=15)
    await priced.refund(ADA, rendered.transaction.id, amount=1, reason="one second was black")
    drawn = await priced.consume_credit(ADA, "draw")
    await priced.place_hold(ADA, "draw", amount=2, ttl_seconds=10_800)
    clock.move(hours=2)
    await priced.refund(ADA, drawn.transaction.id)
    return priced


async def test_user_credits(ada: CreditService) -> None:
    """It shows spendable, held and scheduled credits and the next expiry. An expired grant remains for its hold."""
    now = await ada.get_user_credits(ADA)

    assert (now.remaining, now.held, now.total, now.scheduled, now.version) == (9, 2, 14, 7, 10)
    assert (now.next_expiry_at, now.next_expiry_amount) == (START + 24 * HOUR, 2)
    assert (now.next_allowance_at, now.next_allowance_amount) == (None, 0)
    shown = [(one.amount, one.remaining, one.held, one.category, one.pending, one.over) for one in now.grants]
    assert shown == [
        (5, 2, 0, "admin", False, None),
        (4, 2, 2, "promo", False, "expired"),
        (1, 1, 0, "promo", False, None),
        (7, 7, 0, "admin", True, None),
        (6, 6, 0, "signup", False, None),
    ]
    assert [one.features for one in now.grants] == [("render",), None, None, None, None]
    grace = now.grants[2]
    assert (grace.effective_at, grace.expires_at) == (START + 2 * HOUR, START + 2 * HOUR + timedelta(days=30))


async def test_credit_history(ada: CreditService) -> None:
    """Each change has a row with its instant and its allocations, here oldest first."""
    page = await ada.get_credit_history(ADA)

    rows = page.transactions[::-1]
    places = {row.id: row.seq for row in rows}
    changes = [
        (
            row.kind,
            row.amount,
            row.balance_after,
            row.held_after,
            [(places[m.grant_id], m.amount) for m in row.allocations],
        )
        for row in rows
    ]
    assert changes == [
        ("signup", 6, 6, 0, [(1, 6)]),
        ("grant", 4, 10, 0, [(2, 4)]),
        ("grant", 5, 15, 0, [(3, 5)]),
        ("grant", 0, 15, 0, [(4, 7)]),
        ("consume", -4, 11, 0, [(3, -4)]),
        ("refund", 1, 12, 0, [(3, 1)]),
        ("consume", -1, 11, 0, [(2, -1)]),
        ("hold", -2, 9, 2, [(2, -2)]),
        ("expire", -1, 8, 2, [(2, -1)]),
        ("refund", 1, 9, 2, [(10, 1)]),
    ]
    assert [row.created_at - START for row in rows[-3:]] == [timedelta(), HOUR, 2 * HOUR]
    facts = [(row.feature_used, row.credits_consumed, row.refunded, row.about) for row in rows[4:]]
    assert facts == [
        ("render", 4, None, None),
        ("render", None, 1, rows[4].id),
        ("draw", 1, None, None),
        ("draw", None, None, None),
        (None, None, None, rows[1].id),
        ("draw", None, 1, rows[6].id),
    ]


async def test_insufficient_credits_error(ada: CreditService) -> None:
    """The refusal has the credits for this feature, the held and the scheduled ones."""
    with pytest.raises(InsufficientCreditsError) as refused:
        await ada.consume_credit(ADA, "draw", units=9)

    assert refused.value == InsufficientCreditsError("draw", 9, 9, 7, held=2, scheduled=7, next_allowance_at=None)
