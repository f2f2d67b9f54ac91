"""Refunds, voids, corrections and outside events, over every database."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from sixpence.core.account.movement import Allocation
from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import (
    AccountClosedError,
    AccountNotFoundError,
    AdjustLimitError,
    BalanceLimitError,
    GrantEndedError,
    GrantNotFoundError,
    GrantPeriodError,
    IdempotencyConflictError,
    NotRefundableError,
    RefundLimitError,
    SourceClaimedError,
    TransactionNotFoundError,
    UnknownFeatureError,
)
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.ledger.database import source_claims
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, ledger_of, rows
from tests.ledger.moved_clock import MovedClock

ADA = "ada@example.com"
GRACE = "grace@example.com"
GIFT: dict[str, Any] = {"reason": "paid by invoice 7", "category": "paid"}


@pytest.fixture
async def ada(priced: CreditService) -> CreditService:
    """The service, in which Ada has six credits."""
    await priced.initialize_user_credits(ADA)
    return priced


async def test_partial_refunds_never_exceed_consumption(ada: CreditService) -> None:
    """Partial refunds return to the grant they came from, and never exceed what was consumed."""
    used = await ada.consume_credit(ADA, "render", units=20)

    first = await ada.refund(ADA, used.transaction.id, amount=1, reason="half was empty", actor="op@example.com")
    rest = await ada.refund(ADA, used.transaction.id)
    with pytest.raises(RefundLimitError) as refused:
        await ada.refund(ADA, used.transaction.id)

    signup = (await ada.get_credit_history(ADA, kind="signup")).transactions[0]
    assert (first.refunded, first.refunded_id, first.remaining, first.total) == (1, used.transaction.id, 3, 6)
    assert (first.transaction.reason, first.transaction.actor) == ("half was empty", "op@example.com")
    assert (rest.refunded, rest.remaining) == (3, 6)
    assert rest.transaction.allocations == (Allocation(signup.id, "refunded", 3),)
    assert (refused.value.left, refused.value.amount) == (0, None)


async def test_concurrent_refunds_never_exceed_consumption(ada: CreditService) -> None:
    """Of many concurrent refunds of one credit each, as many succeed as credits were consumed."""
    used = await ada.consume_credit(ADA, "render", units=20)

    answers = await asyncio.gather(
        *(ada.refund(ADA, used.transaction.id, amount=1) for _ in range(10)), return_exceptions=True
    )

    assert sum(isinstance(answer, RefundLimitError) for answer in answers) == 6
    assert (await ada.get_user_credits(ADA)).remaining == 6


async def test_refund_refuses_grant_and_unknown_transaction(ada: CreditService) -> None:
    """A grant cannot be refunded, nor an unknown transaction."""
    granted = await ada.grant_credits(ADA, 5)

    with pytest.raises(NotRefundableError):
        await ada.refund(ADA, granted.transaction.id)
    with pytest.raises(TransactionNotFoundError):
        await ada.refund(ADA, "0198c0de-0000-7000-8000-000000000000")


async def test_void_grant_keeps_held_credits(ada: CreditService) -> None:
    """Only unheld credits are voided. A second void is refused, and so is an unknown grant."""
    granted = await ada.grant_credits(ADA, 10, priority=1)
    await ada.place_hold(ADA, "draw", amount=4)

    voided = await ada.void_grant(ADA, granted.transaction.id, reason="granted twice", actor="op@example.com")

    assert (voided.grant_id, voided.voided, voided.charged_back, voided.shortfall) == (granted.transaction.id, 6, 0, 0)
    assert (voided.remaining, voided.held, voided.total) == (6, 4, 10)
    with pytest.raises(GrantEndedError):
        await ada.void_grant(ADA, granted.transaction.id)
    with pytest.raises(GrantNotFoundError):
        await ada.void_grant(ADA, "0198c0de-0000-7000-8000-000000000000")


async def test_void_grant_with_revoke_spent_makes_debt(ada: CreditService) -> None:
    """The spent part becomes a debt up to the plan's overdraft; the rest is the shortfall."""
    await ada.update_subscription_status(ADA, "postpaid")
    granted = await ada.grant_credits(ADA, 20, priority=1)
    for _ in range(14):
        await ada.consume_credit(ADA, "draw")

    voided = await ada.void_grant(ADA, granted.transaction.id, revoke_spent=True)

    assert (voided.voided, voided.charged_back, voided.shortfall, voided.remaining) == (6, 10, 4, -4)
    now = await ada.get_user_credits(ADA)
    assert (now.owed, now.overdraft) == (10, 10)


async def test_void_grant_of_allowance_or_closed_account_makes_no_debt(ada: CreditService) -> None:
    """Revoking an allowance, or a grant of a closed account, takes what remains and reports what was spent."""
    await ada.update_subscription_status(ADA, "team")
    paid = await ada.grant_credits(ADA, 20, priority=1)
    for units in (25, 5):
        await ada.consume_credit(ADA, "draw", units=units)
    allowance = next(grant for grant in (await ada.get_user_credits(ADA)).grants if grant.category == "plan")

    of_plan = await ada.void_grant(ADA, allowance.id, revoke_spent=True)
    await ada.close_account(ADA)
    of_closed = await ada.void_grant(ADA, paid.transaction.id, revoke_spent=True)

    assert (of_plan.voided, of_plan.charged_back, of_plan.shortfall) == (290, 0, 10)
    assert (of_closed.voided, of_closed.charged_back, of_closed.shortfall) == (0, 0, 20)


async def test_adjust_up_and_down(ada: CreditService) -> None:
    """Both record actor and reason. An adjustment below the balance is refused with what it could take."""
    up = await ada.adjust(ADA, 5, reason="lost in the move", actor="op@example.com")
    down = await ada.adjust(ADA, -2, reason="counted twice", actor="op@example.com")
    with pytest.raises(AdjustLimitError) as refused:
        await ada.adjust(ADA, -10, reason="too much", actor="op@example.com")

    assert (up.remaining, up.transaction.amount, up.transaction.grants[0].category) == (11, 5, "admin")
    assert (down.remaining, down.transaction.amount, down.transaction.actor) == (9, -2, "op@example.com")
    assert (refused.value.amount, refused.value.available) == (-10, 9)


async def test_source_key_grants_once(ada: CreditService, url: Database) -> None:
    """A redelivery is a replay and writes nothing."""
    first = await ada.grant_credits(ADA, 50, **GIFT, source_key="invoice 7")

    again = await asyncio.gather(*(ada.grant_credits(ADA, 50, **GIFT, source_key="invoice 7") for _ in range(5)))

    assert {one.replayed for one in again} == {True}
    assert [one.transaction for one in again] == [first.transaction] * 5
    assert ledger_of(url, ADA) == [(1, "signup", 6, 6), (2, "grant", 50, 56)]


async def test_redelivery_by_another_actor_is_replay(ada: CreditService) -> None:
    """The actor is not part of the event: the first one stays recorded."""
    first = await ada.grant_credits(ADA, 50, **GIFT, source_key="invoice 7", actor="API key old")

    again = await ada.grant_credits(ADA, 50, **GIFT, source_key="invoice 7", actor="API key new")

    assert (again.replayed, again.transaction) == (True, first.transaction)


async def test_source_key_belongs_to_one_account(ada: CreditService, url: Database) -> None:
    """Of two accounts at the same time one gets the event; the other's refusal names the first."""
    await ada.initialize_user_credits(GRACE)

    answers = await asyncio.gather(
        *(ada.grant_credits(account, 50, **GIFT, source_key="invoice 8") for account in (ADA, GRACE)),
        return_exceptions=True,
    )

    refused = [answer for answer in answers if isinstance(answer, SourceClaimedError)]
    winner = GRACE if isinstance(answers[0], SourceClaimedError) else ADA
    assert refused == [SourceClaimedError("invoice 8", winner)]
    assert len(ledger_of(url, ADA)) + len(ledger_of(url, GRACE)) == 3


async def test_redelivery_completes_claim_without_grant(ada: CreditService, url: Database) -> None:
    """A claim without its grant is completed by the redelivery, and refused for another account."""
    await ada.initialize_user_credits(GRACE)
    other = Ledger(url)
    await other.write(lambda connection: source_claims.claim(connection, "invoice 9", ADA, other.now(connection)))
    other.close()

    with pytest.raises(SourceClaimedError):
        await ada.grant_credits(GRACE, 50, source_key="invoice 9")
    completed = await ada.grant_credits(ADA, 50, source_key="invoice 9")

    assert (completed.replayed, completed.remaining) == (False, 56)


async def test_source_key_with_another_amount_is_conflict(ada: CreditService) -> None:
    """The refusal names the source key, and nothing is granted."""
    await ada.grant_credits(ADA, 50, source_key="invoice 10")

    with pytest.raises(IdempotencyConflictError) as refused:
        await ada.grant_credits(ADA, 60, source_key="invoice 10")

    assert refused.value == IdempotencyConflictError("invoice 10")
    assert (await ada.get_user_credits(ADA)).remaining == 56


async def test_unknown_account_claims_nothing(ada: CreditService, url: Database) -> None:
    """A claim cannot be undone, so a mistyped account id must not make one."""
    with pytest.raises(AccountNotFoundError):
        await ada.grant_credits("nobody", 50, source_key="invoice 11")

    assert rows(url, "SELECT count(*) FROM source_claims") == [(0,)]


async def test_refused_grant_claims_nothing(ada: CreditService, clock: MovedClock, url: Database) -> None:
    """After any refusal the event can still be granted to the right account."""
    await ada.initialize_user_credits(GRACE)
    await ada.close_account(GRACE)
    refused: list[tuple[type[Exception], str, int, dict[str, Any]]] = [
        (AccountClosedError, GRACE, 50, {}),
        (UnknownFeatureError, ADA, 50, {"features": ["nothing"]}),
        (GrantPeriodError, ADA, 50, {"expires_at": clock.moment}),
        (BalanceLimitError, ADA, AMOUNT_MAX, {}),
    ]

    for refusal, account, amount, terms in refused:
        with pytest.raises(refusal):
            await ada.grant_credits(account, amount, **terms, source_key="invoice 13")
    given = await ada.grant_credits(ADA, 50, **GIFT, source_key="invoice 13")

    assert (given.replayed, given.remaining) == (False, 56)
    assert rows(url, "SELECT source_key, account_id FROM source_claims") == [("invoice 13", ADA)]


async def test_due_expiry_is_applied_before_claim(ada: CreditService, clock: MovedClock) -> None:
    """A grant that has expired meanwhile does not block the grant of an event."""
    await ada.grant_credits(ADA, AMOUNT_MAX - 10, expires_at=clock.moment + timedelta(hours=1))
    clock.move(hours=2)

    given = await ada.grant_credits(ADA, 50, **GIFT, source_key="invoice 14")

    assert given.remaining == 56


async def test_redelivery_is_replay_after_expiry_and_close(ada: CreditService, clock: MovedClock) -> None:
    """After the grant's expiry, and after the account is closed, a redelivery is still a replay."""
    terms: dict[str, Any] = {**GIFT, "expires_at": clock.moment + timedelta(hours=1), "source_key": "invoice 15"}
    first = await ada.grant_credits(ADA, 50, **terms)
    clock.move(hours=2)

    expired = await ada.grant_credits(ADA, 50, **terms)
    await ada.close_account(ADA)
    closed = await ada.grant_credits(ADA, 50, **terms)

    assert [(one.replayed, one.transaction) for one in (expired, closed)] == [(True, first.transaction)] * 2


async def test_source_key_excludes_idempotency_key(ada: CreditService) -> None:
    """Both together are refused, and no idempotency key can look like a source key."""
    with pytest.raises(InvalidInputError) as both:
        await ada.grant_credits(ADA, 1, source_key="invoice 12", idempotency_key="k")
    with pytest.raises(InvalidInputError) as forged:
        await ada.grant_credits(ADA, 1, idempotency_key="source\x1finvoice 12")

    assert str(both.value) == "source_key: was sent beside an idempotency key. Send one of the two."
    assert forged.value.field == "idempotency_key"
