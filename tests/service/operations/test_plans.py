"""Plans and the lifecycle of an account, over every database: the result of each operation."""

from datetime import UTC, datetime, timedelta

import pytest

from sixpence.core.refusals import AccountClosedError, AccountFrozenError, FairUseError, TrialRefusedError
from sixpence.service.credits import CreditService
from sixpence.service.results.results import PlanTerm
from sixpence.service.results.user_credits import FairUseStatus, WaitingPlan
from tests.ledger.databases import Database, ledger_of
from tests.ledger.moved_clock import START, MovedClock

ADA = "ada@example.com"
APRIL = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def ada(priced: CreditService) -> CreditService:
    """The service, in which Ada has six credits."""
    await priced.initialize_user_credits(ADA)
    return priced


async def test_plan_with_term_gives_allowance(ada: CreditService) -> None:
    """The allowance comes with the plan, and the account shows the next one."""
    status = await ada.update_subscription_status(ADA, "basic", reason="checkout", actor="shop")

    term = PlanTerm(period="month", ends_at=APRIL, trial=False, next_plan=None, cancelled=False)
    assert (status.subscription_status, status.remaining, status.term) == ("basic", 106, term)
    now = await ada.get_user_credits(ADA)
    assert (now.term_ends_at, now.trial, now.waiting_plan) == (APRIL, False, None)
    assert (now.next_allowance_at, now.next_allowance_amount) == (APRIL, 100)
    # Thirty of the hundred would roll over, so seventy expire.
    assert (now.next_expiry_at, now.next_expiry_amount) == (APRIL, 70)


async def test_lower_plan_begins_at_end_of_term(ada: CreditService, clock: MovedClock) -> None:
    """The change is returned with its time, shown until then, and made at the end of the term."""
    await ada.update_subscription_status(ADA, "team")

    status = await ada.update_subscription_status(ADA, "basic")
    waiting = await ada.get_user_credits(ADA)
    clock.move(days=31)
    after = await ada.get_user_credits(ADA)

    assert status.subscription_status == "team"
    assert status.term == PlanTerm(period="month", ends_at=APRIL, trial=False, next_plan="basic", cancelled=False)
    assert (waiting.waiting_plan, waiting.next_allowance_amount) == (WaitingPlan(plan="basic", at=APRIL), 100)
    # Of the unspent 300 credits the new plan's cap rolls over.
    assert (after.subscription_status, after.waiting_plan, after.remaining) == ("basic", None, 6 + 30 + 100)
    assert [(grant.amount, grant.rolled) for grant in after.grants if grant.category == "plan"] == [
        (30, True),
        (100, False),
    ]


async def test_cancel_subscription_ends_plan_at_end_of_term(ada: CreditService, clock: MovedClock) -> None:
    """The plan runs to its end, then the default plan begins; without a term it begins at once."""
    await ada.update_subscription_status(ADA, "basic")

    status = await ada.cancel_subscription(ADA, reason="asked for it", actor="op@example.com")
    waiting = await ada.get_user_credits(ADA)
    clock.move(days=31)
    after = await ada.get_user_credits(ADA)
    again = await ada.cancel_subscription(ADA)

    assert status.term == PlanTerm(period="month", ends_at=APRIL, trial=False, next_plan=None, cancelled=True)
    assert (waiting.waiting_plan, waiting.next_allowance_at) == (WaitingPlan(plan="free", at=APRIL), None)
    assert (after.subscription_status, after.remaining, after.term_ends_at) == ("free", 6, None)
    assert (again.transaction, again.subscription_status, again.term) == (None, "free", None)


async def test_trial_runs_once_then_plan_begins(ada: CreditService, clock: MovedClock) -> None:
    """A plan has one trial with its credits; then its first term begins."""
    status = await ada.update_subscription_status(ADA, "team", trial=True)
    during = await ada.get_user_credits(ADA)
    with pytest.raises(TrialRefusedError):
        await ada.update_subscription_status(ADA, "team", trial=True)
    ends = START + timedelta(days=7)
    clock.move(days=7)
    after = await ada.get_user_credits(ADA)

    assert status.term == PlanTerm(period="month", ends_at=ends, trial=True, next_plan=None, cancelled=False)
    assert (during.trial, during.remaining, during.next_allowance_at, during.next_allowance_amount) == (
        True,
        26,
        ends,
        300,
    )
    assert (after.trial, after.remaining, after.term_ends_at) == (False, 306, datetime(2026, 4, 8, 12, tzinfo=UTC))


async def test_fair_use_is_shown_and_enforced(ada: CreditService) -> None:
    """The used part of the window is shown. When it is full, the account and the refusal show when it opens."""
    await ada.update_subscription_status(ADA, "max")
    before = (await ada.get_user_credits(ADA)).fair_use
    for _ in range(3):
        await ada.consume_credit(ADA, "draw")

    with pytest.raises(FairUseError) as refused:
        await ada.consume_credit(ADA, "draw")
    with pytest.raises(FairUseError):
        await ada.validate_credit_usage(ADA, "draw")

    opens = START + timedelta(minutes=61)
    assert before == FairUseStatus(uses=3, per="hour", used=0, opens_at=None)
    assert (await ada.get_user_credits(ADA)).fair_use == FairUseStatus(uses=3, per="hour", used=3, opens_at=opens)
    assert refused.value.opens_at == "2026-03-01T13:01:00.000000Z"


async def test_freeze_refuses_uses_and_allows_refunds(ada: CreditService, url: Database) -> None:
    """A frozen account refuses uses and allows refunds. A second freeze writes no row."""
    used = await ada.consume_credit(ADA, "draw")

    frozen = await ada.freeze_account(ADA, reason="a stolen card", actor="op@example.com")
    again = await ada.freeze_account(ADA)
    for refused in (ada.consume_credit, ada.place_hold, ada.validate_credit_usage):
        with pytest.raises(AccountFrozenError):
            await refused(ADA, "draw")
    refunded = await ada.refund(ADA, used.transaction.id)
    standing = (await ada.get_user_credits(ADA)).standing
    opened = await ada.unfreeze_account(ADA)

    assert frozen.transaction is not None
    assert (frozen.standing, frozen.transaction.reason, again.transaction) == ("frozen", "a stolen card", None)
    assert (again.standing, standing, refunded.remaining, opened.standing) == ("frozen", "frozen", 6, "open")
    assert [kind for _, kind, _, _ in ledger_of(url, ADA)] == ["signup", "consume", "freeze", "refund", "unfreeze"]


async def test_close_voids_unheld_credits(ada: CreditService) -> None:
    """Closing voids every unheld credit. Then grants are refused; an open hold can be captured."""
    held = await ada.place_hold(ADA, "draw", amount=2)

    closed = await ada.close_account(ADA, reason="left")
    again = await ada.close_account(ADA)
    captured = await ada.capture_hold(ADA, held.hold_id)

    assert (closed.standing, closed.remaining, closed.held, again.transaction) == ("closed", 0, 2, None)
    assert (captured.credits_consumed, captured.held) == (2, 0)
    with pytest.raises(AccountClosedError):
        await ada.grant_credits(ADA, 1)
    assert (await ada.get_user_credits(ADA)).standing == "closed"


async def test_no_op_with_key_has_row(ada: CreditService, url: Database) -> None:
    """With a key even a no-op writes a row, so its replay always gives the same result."""
    first = await ada.freeze_account(ADA, idempotency_key="k")
    await ada.unfreeze_account(ADA)
    again = await ada.freeze_account(ADA, idempotency_key="k")

    assert (again.replayed, again.standing, again.transaction) == (True, "frozen", first.transaction)
    assert (await ada.get_user_credits(ADA)).standing == "open"
