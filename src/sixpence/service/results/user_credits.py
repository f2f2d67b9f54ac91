"""`UserCredits`: an account's state at one instant: its balance, grants, holds, debts and what comes next."""

from datetime import datetime
from typing import Self

import msgspec

from sixpence.core.account.account import Standing
from sixpence.core.account.fair_use import count_uses, find_window, opens_at
from sixpence.core.account.grant import Category, Grant, Over
from sixpence.core.account.subscription import Subscription
from sixpence.core.catalog.catalog import FairUse, PricedBy
from sixpence.core.rules.context import DecisionContext
from sixpence.core.rules.forecast import next_allowance, next_expiry
from sixpence.core.values.instant import to_datetime, to_optional_datetime
from sixpence.core.values.wire_value import WireValue
from sixpence.service.results.results import Balance, balance_fields


class CreditGrant(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """A live grant; `remaining` includes what is `held`. With `over` set it has ended, except for what is held."""

    id: str
    category: Category
    amount: int
    remaining: int
    held: int
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    features: tuple[str, ...] | None
    pending: bool
    over: Over | None
    rolled: bool

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """The grant as its account's owner may see it."""
        return cls(
            id=grant.id,
            category=grant.category,
            amount=grant.amount,
            remaining=grant.remaining,
            held=grant.held,
            priority=grant.priority,
            effective_at=to_datetime(grant.effective_at),
            expires_at=to_optional_datetime(grant.expires_at),
            features=grant.features,
            pending=grant.pending,
            over=grant.over,
            rolled=grant.rolled,
        )


class FairUseStatus(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """The fair use of an unlimited plan: `used` of `uses` in the last hour, day or 30 days.

    `opens_at` is when the next use is allowed, if none is allowed now.
    """

    uses: int
    per: str
    used: int
    opens_at: datetime | None


class WaitingPlan(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """The plan that begins at the end of the current term."""

    plan: str
    at: datetime


class UserCredits(Balance, frozen=True, kw_only=True):
    """The state of an account now. On an unlimited plan a use costs nothing and does not change `remaining`.

    `remaining` is negative by what is `owed` beyond what can be spent, at most by the plan's `overdraft`. `scheduled`
    takes effect later and is not yet in any balance. At `next_expiry_at`, `next_expiry_amount` credits expire unless
    they are spent before. `grants` are in burn-down order.
    """

    unlimited: bool
    standing: Standing
    owed: int
    overdraft: int
    scheduled: int
    granted_at: datetime | None
    next_expiry_at: datetime | None
    next_expiry_amount: int
    next_allowance_at: datetime | None
    next_allowance_amount: int
    term_ends_at: datetime | None
    trial: bool
    waiting_plan: WaitingPlan | None
    fair_use: FairUseStatus | None
    label: str | None
    grants: tuple[CreditGrant, ...]

    @classmethod
    def of(cls, context: DecisionContext) -> Self:
        """The account's state at the time and under the catalog of the context."""
        account, priced_by, plan = context.account, context.priced_by, context.plan
        subscription = account.subscription
        running = subscription is not None and subscription.running
        expiry_at, expiring = next_expiry(account, priced_by)
        coming = next_allowance(account, priced_by)
        fair_use = plan.fair_use if plan is not None and plan.unlimited else None
        return cls(
            **balance_fields(account),
            unlimited=plan is not None and plan.unlimited,
            standing=account.standing,
            owed=account.owed,
            overdraft=0 if plan is None else plan.overdraft,
            scheduled=sum(grant.remaining for grant in account.grants if grant.pending),
            granted_at=to_optional_datetime(account.granted_at),
            next_expiry_at=to_optional_datetime(expiry_at),
            next_expiry_amount=expiring,
            next_allowance_at=None if coming is None else to_datetime(coming[0]),
            next_allowance_amount=0 if coming is None else coming[1],
            term_ends_at=to_datetime(subscription.ends_at) if subscription is not None and running else None,
            trial=subscription is not None and running and subscription.trial,
            waiting_plan=None if subscription is None else _waiting(subscription, priced_by),
            fair_use=None if fair_use is None else _fair_use(context, fair_use),
            label=account.label,
            grants=tuple(CreditGrant.of(grant) for grant in account.grants),
        )


def _waiting(subscription: Subscription, priced_by: PricedBy) -> WaitingPlan | None:
    """The plan after the current term: the default one if the plan is cancelled or no longer in the catalog."""
    if not (subscription.running and subscription.waiting):
        return None
    catalog = priced_by.catalog
    plan = subscription.next_plan if subscription.next_plan in catalog.plans else catalog.default_plan
    return WaitingPlan(plan=plan, at=to_datetime(subscription.ends_at))


def _fair_use(context: DecisionContext, fair_use: FairUse) -> FairUseStatus:
    window = find_window(context.account.windows, fair_use.per)
    used = count_uses(window, fair_use.per, context.now)
    full = used >= fair_use.uses
    opens = opens_at(window, fair_use.per, fair_use.uses, context.now) if full else None
    return FairUseStatus(uses=fair_use.uses, per=fair_use.per, used=used, opens_at=to_optional_datetime(opens))
