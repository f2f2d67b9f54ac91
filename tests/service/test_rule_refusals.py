"""Every refusal of the rules; each leaves the database unchanged, byte for byte.

The refusals of single operations are in test_refusals.py. Together they are all.
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
from tests.ledger.databases import Database, snapshot, verify_clean
from tests.ledger.moved_clock import START, MovedClock
from tests.service.full_catalog import CATALOG
from tests.service.test_refusals import REFUSED

ADA, BOB, COLD, GONE, BUSY, FULL = "ada", "bob", "cold", "gone", "busy", "full"
EVENT = "invoice 7"
NO_ID = "0198c0de-0000-7000-8000-000000000000"
PLANS = tuple(CATALOG.plans)


class Ids(msgspec.Struct):
    """The ids of the accounts' transactions and holds."""

    open: str
    released: str
    signup: str
    refunded: str
    voided: str
    expired: str


Call = Callable[[CreditService, Ids], Awaitable[object]]
Refusal = Callable[[Ids], CreditSystemError]

RULE_REFUSALS: dict[str, tuple[Call, Refusal]] = {
    "more than is available and held": (
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
    "units of a feature priced by tokens": (
        lambda c, _: c.consume_credit(ADA, "chat", units=3),
        lambda _: UnpricedUsageError(
            "units", "this feature is priced by tokens. Leave it out; send usage.model and its tokens."
        ),
    ),
    "a hold for an unknown model": (
        lambda c, _: c.place_hold(ADA, "chat", usage=Usage(model="huge", input_tokens=1)),
        lambda _: UnpricedUsageError("usage.model", "'huge' has no price. Send one of: small, large."),
    ),
    "fair use that is used up": (
        lambda c, _: c.consume_credit(BUSY, "draw"),
        lambda _: FairUseError("max", 3, "hour", "2026-03-01T15:01:00.000000Z"),
    ),
    "an unknown hold": (lambda c, _: c.release_hold(ADA, NO_ID), lambda _: HoldNotFoundError(ADA, NO_ID)),
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
    "a correction below the balance": (
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
    "an unknown transaction": (
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
    "an unknown grant": (lambda c, _: c.void_grant(ADA, NO_ID), lambda _: GrantNotFoundError(ADA, NO_ID)),
    "a grant that was voided": (lambda c, i: c.void_grant(ADA, i.voided), lambda i: GrantEndedError(i.voided)),
    "an unknown plan": (
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
    """A service with accounts in every state in which the rules refuse something; no test changes them."""
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
    verify_clean(module_url, decide=True)


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


@pytest.mark.parametrize("name", RULE_REFUSALS)
async def test_rule_refusal_has_data_and_changes_nothing(
    known: tuple[CreditService, Ids], module_url: Database, name: str
) -> None:
    """The refusal has its data, and no byte of the database changes."""
    (service, ids), (call, refusal) = known, RULE_REFUSALS[name]
    before = snapshot(module_url)

    with pytest.raises(CreditSystemError) as refused:
        await call(service, ids)

    expected = refusal(ids)
    assert (type(refused.value), refused.value) == (type(expected), expected)
    assert snapshot(module_url) == before


def test_hold_over_balance_limit_names_largest_amount() -> None:
    """Its remedy is the largest amount that can be held, as for a grant."""
    _, refusal = RULE_REFUSALS["a hold beyond what can be held"]

    message = str(refusal(Ids("", "", "", "", "", "")))

    assert message.endswith(f"passes the limit of {AMOUNT_MAX}. Send at most {AMOUNT_MAX - 1}.")


def test_every_refusal_is_tested() -> None:
    """Each refusal of the core is tested here or in test_refusals.py."""
    tested = {type(refusal) for _, refusal in REFUSED.values()}
    tested |= {type(refusal(Ids("", "", "", "", "", ""))) for _, refusal in RULE_REFUSALS.values()}

    assert set(_leaves(RefusedError)) - tested == set()


def _leaves(kind: type[RefusedError]) -> list[type[RefusedError]]:
    below = [leaf for one in kind.__subclasses__() for leaf in _leaves(one)]
    return below or [kind]
