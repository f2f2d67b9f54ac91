"""Every refusal that the whole set of rules has, and its twin: not a byte of the database has changed.

Those of the plainest operations stand in test_refusals.py; together they must be all that there are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import msgspec
import pytest

from sixpence.core.catalog.price import Usage
from sixpence.core.errors import CreditSystemError, RefusedError
from sixpence.core.refusals import (
    AccountClosedError,
    AccountFrozenError,
    AdjustLimitError,
    BalanceLimitError,
    FairUseError,
    GrantEndedError,
    GrantLimitError,
    GrantNotFoundError,
    HoldEndedError,
    HoldNotFoundError,
    InsufficientCreditsError,
    NotRefundableError,
    RefundLimitError,
    SourceClaimedError,
    TransactionNotFoundError,
    TrialRefusedError,
    UnknownPlanError,
    UnpricedUsageError,
)
from sixpence.core.values.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX
from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import Database, proved, snapshot
from tests.ledger.moved_clock import START, MovedClock
from tests.service.priced import CATALOG
from tests.service.test_refusals import REFUSED

ADA, BOB, COLD, GONE, BUSY, FULL = "ada", "bob", "cold", "gone", "busy", "full"
EVENT = "invoice 7"
NO_ID = "0198c0de-0000-7000-8000-000000000000"
PLANS = tuple(CATALOG.plans)


class Ids(msgspec.Struct):
    """The ids of what the accounts did."""

    open: str
    released: str
    signup: str
    refunded: str
    voided: str
    expired: str


Call = Callable[[CreditService, Ids], Awaitable[object]]
Refusal = Callable[[Ids], CreditSystemError]

OF_RULES: dict[str, tuple[Call, Refusal]] = {
    "more than is there and held": (
        lambda c, i: c.capture_hold(ADA, i.open, amount=7),
        lambda _: InsufficientCreditsError("draw", 7, 5, 6, held=1),
    ),
    "a use of a frozen account": (lambda c, _: c.consume_credit(COLD, "draw"), lambda _: AccountFrozenError(COLD)),
    "a hold of a frozen account": (lambda c, _: c.place_hold(COLD, "draw"), lambda _: AccountFrozenError(COLD)),
    "a use of a closed account": (lambda c, _: c.consume_credit(GONE, "draw"), lambda _: AccountClosedError(GONE)),
    "a grant to a closed account": (lambda c, _: c.grant_credits(GONE, 1), lambda _: AccountClosedError(GONE)),
    "a plan of a closed account": (
        lambda c, _: c.update_subscription_status(GONE, "team"),
        lambda _: AccountClosedError(GONE),
    ),
    "a freeze of a closed account": (lambda c, _: c.freeze_account(GONE), lambda _: AccountClosedError(GONE)),
    "an end of no freeze": (lambda c, _: c.unfreeze_account(GONE), lambda _: AccountClosedError(GONE)),
    "units of what is sold by tokens": (
        lambda c, _: c.consume_credit(ADA, "chat", units=3),
        lambda _: UnpricedUsageError(
            "units", "this feature is priced by tokens. Leave it out; send usage.model and its tokens."
        ),
    ),
    "a hold for a model that is not sold": (
        lambda c, _: c.place_hold(ADA, "chat", usage=Usage(model="huge", input_tokens=1)),
        lambda _: UnpricedUsageError("usage.model", "'huge' has no price. Send one of: small, large."),
    ),
    "fair use that is used up": (
        lambda c, _: c.consume_credit(BUSY, "draw"),
        lambda _: FairUseError("max", 3, "hour", "2026-03-01T15:01:00.000000Z"),
    ),
    "a hold that is not there": (lambda c, _: c.release_hold(ADA, NO_ID), lambda _: HoldNotFoundError(ADA, NO_ID)),
    "a hold of another account": (lambda c, i: c.capture_hold(BOB, i.open), lambda i: HoldNotFoundError(BOB, i.open)),
    "a hold that has ended": (
        lambda c, i: c.extend_hold(ADA, i.released),
        lambda i: HoldEndedError(i.released, "released", "2026-03-01T14:00:00.000000Z"),
    ),
    "a hold beyond what can be held": (
        lambda c, _: c.place_hold(ADA, "draw", amount=AMOUNT_MAX),
        lambda _: BalanceLimitError(AMOUNT_MAX, 1, AMOUNT_MAX),
    ),
    "a correction beyond what can be represented": (
        lambda c, _: c.adjust(ADA, AMOUNT_MAX, reason="r", actor="a"),
        lambda _: BalanceLimitError(AMOUNT_MAX, 6, AMOUNT_MAX),
    ),
    "a correction below what is there": (
        lambda c, _: c.adjust(ADA, -6, reason="r", actor="a"),
        lambda _: AdjustLimitError(-6, 5),
    ),
    "a grant beyond the last": (lambda c, _: c.grant_credits(FULL, 1), lambda _: GrantLimitError(LIVE_GRANTS_MAX)),
    "a correction beyond the last grant": (
        lambda c, _: c.adjust(FULL, 1, reason="r", actor="a"),
        lambda _: GrantLimitError(LIVE_GRANTS_MAX),
    ),
    "a refund beyond the last grant": (
        lambda c, i: c.refund(FULL, i.expired),
        lambda _: GrantLimitError(LIVE_GRANTS_MAX),
    ),
    "a transaction that is not there": (
        lambda c, _: c.refund(ADA, NO_ID),
        lambda _: TransactionNotFoundError(ADA, NO_ID),
    ),
    "a transaction that consumed nothing": (
        lambda c, i: c.refund(ADA, i.signup),
        lambda i: NotRefundableError(i.signup, "signup"),
    ),
    "a use that was given back": (
        lambda c, i: c.refund(ADA, i.refunded),
        lambda i: RefundLimitError(i.refunded, None, 0),
    ),
    "more than was consumed": (
        lambda c, i: c.refund(FULL, i.expired, amount=2),
        lambda i: RefundLimitError(i.expired, 2, 1),
    ),
    "a grant that is not there": (lambda c, _: c.void_grant(ADA, NO_ID), lambda _: GrantNotFoundError(ADA, NO_ID)),
    "a grant that was voided": (lambda c, i: c.void_grant(ADA, i.voided), lambda i: GrantEndedError(i.voided)),
    "a plan that is not sold": (
        lambda c, _: c.update_subscription_status(ADA, "gold"),
        lambda _: UnknownPlanError("gold", PLANS),
    ),
    "a plan that has no trial": (
        lambda c, _: c.update_subscription_status(ADA, "basic", trial=True),
        lambda _: TrialRefusedError("basic", "has no trial"),
    ),
    "an event of another account": (
        lambda c, _: c.grant_credits(BOB, 5, source_key=EVENT),
        lambda _: SourceClaimedError(EVENT, ADA),
    ),
}


@pytest.fixture(scope="module")
async def known(module_url: Database) -> AsyncIterator[tuple[CreditService, Ids]]:
    """A service with accounts in every state that something is refused in; nothing here changes them."""
    clock = MovedClock()
    async with CreditService(Ledger(module_url, clock=clock, catalog=CATALOG)) as service:
        for name in (ADA, BOB, COLD, GONE, BUSY, FULL):
            await service.initialize_user_credits(name)
        soon = START + timedelta(hours=1)
        await service.grant_credits(FULL, 1, priority=1, expires_at=soon)
        expired = await service.consume_credit(FULL, "draw")
        clock.move(hours=2)
        for _ in range(LIVE_GRANTS_MAX - 1):
            await service.grant_credits(FULL, 1)
        await service.freeze_account(COLD)
        await service.close_account(GONE)
        await service.update_subscription_status(BUSY, "max")
        for _ in range(3):
            await service.consume_credit(BUSY, "draw")
        yield service, await _ids(service, expired.transaction.id)
    proved(module_url, decide=True)


async def _ids(service: CreditService, expired: str) -> Ids:
    used = await service.consume_credit(ADA, "draw")
    await service.refund(ADA, used.transaction.id)
    granted = await service.grant_credits(ADA, 5, source_key=EVENT)
    await service.void_grant(ADA, granted.transaction.id)
    released = await service.place_hold(ADA, "draw")
    await service.release_hold(ADA, released.hold_id)
    still_open = await service.place_hold(ADA, "draw")
    (signup,) = (await service.get_credit_history(ADA, kind="signup")).transactions
    return Ids(
        open=still_open.hold_id,
        released=released.hold_id,
        signup=signup.id,
        refunded=used.transaction.id,
        voided=granted.transaction.id,
        expired=expired,
    )


@pytest.mark.parametrize("name", OF_RULES)
async def test_a_refusal_carries_its_facts_and_changes_nothing(
    known: tuple[CreditService, Ids], module_url: Database, name: str
) -> None:
    """What is refused says so with its data, and not a byte of the database has changed."""
    (service, ids), (call, refusal) = known, OF_RULES[name]
    before = snapshot(module_url)

    with pytest.raises(CreditSystemError) as refused:
        await call(service, ids)

    expected = refusal(ids)
    assert (type(refused.value), refused.value) == (type(expected), expected)
    assert snapshot(module_url) == before


def test_a_hold_that_does_not_fit_says_what_does() -> None:
    """Its remedy is one for a hold, as for a grant: how much may be sent."""
    _, refusal = OF_RULES["a hold beyond what can be held"]

    said = str(refusal(Ids("", "", "", "", "", "")))

    assert said.endswith(f"passes the limit of {AMOUNT_MAX}. Send at most {AMOUNT_MAX - 1}.")


def test_every_refusal_there_is_changes_nothing() -> None:
    """A refusal that is new stands here or in test_refusals.py, and is looked at byte for byte."""
    looked_at = {type(refusal) for _, refusal in REFUSED.values()}
    looked_at |= {type(refusal(Ids("", "", "", "", "", ""))) for _, refusal in OF_RULES.values()}

    assert set(_leaves(RefusedError)) - looked_at == set()


def _leaves(kind: type[RefusedError]) -> list[type[RefusedError]]:
    below = [leaf for one in kind.__subclasses__() for leaf in _leaves(one)]
    return below or [kind]
