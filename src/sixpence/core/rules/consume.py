"""Uses: what a use costs under the account's plan, whether it is allowed, and spending the credits for it.

Not here: the price of a usage (`catalog.price`), and holds (`holds`).
"""

import msgspec

from sixpence.core.account.change import Change
from sixpence.core.account.commands import Consume
from sixpence.core.account.fair_use import Mark, count_uses, find_window, mark_use, opens_at
from sixpence.core.account.transaction import Detail
from sixpence.core.catalog.price import Unpriced, Usage, price_of
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import (
    AccountClosedError,
    AccountFrozenError,
    FairUseError,
    InsufficientCreditsError,
    UnknownFeatureError,
    UnknownPlanError,
    UnpricedUsageError,
)
from sixpence.core.rules.context import DecisionContext
from sixpence.core.rules.forecast import next_allowance
from sixpence.core.values.instant import to_wire


class Quote(msgspec.Struct, frozen=True, gc=False):
    """What a use costs: the list price and this account's charge; `mark` is how it counts under fair use."""

    price: int
    charge: int
    unlimited: bool
    mark: Mark | None


def quote(context: DecisionContext, feature: str, usage: Usage, amount: int | None = None) -> Quote | RefusedError:
    """Return what the use costs now; `amount`, where given, replaces the list price.

    Refuses what this account cannot use now with any balance: it is frozen or closed, or its fair use is used up.
    """
    account, catalog, plan = context.account, context.priced_by.catalog, context.plan
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    if account.standing == "frozen":
        return AccountFrozenError(account.account_id)
    if feature not in catalog.features:
        return UnknownFeatureError(feature, tuple(catalog.features))
    if plan is None:
        return UnknownPlanError(account.plan, tuple(catalog.plans))
    price = price_of(catalog.features[feature], usage) if amount is None else amount
    if isinstance(price, Unpriced):
        return UnpricedUsageError(price.field, price.problem)
    fair_use = plan.fair_use
    if not plan.unlimited or fair_use is None:
        return Quote(price, 0 if plan.unlimited else price, plan.unlimited, None)
    window = find_window(account.windows, fair_use.per)
    if count_uses(window, fair_use.per, context.now) >= fair_use.uses:
        opens = opens_at(window, fair_use.per, fair_use.uses, context.now)
        return FairUseError(account.plan, fair_use.uses, fair_use.per, None if opens is None else to_wire(opens))
    return Quote(price, 0, plan.unlimited, mark_use(fair_use.per, context.now))


def consume(context: DecisionContext, command: Consume) -> Change | RefusedError:
    """Spend what the use costs."""
    quoted = quote(context, command.feature, command.usage)
    if isinstance(quoted, RefusedError):
        return quoted
    available = context.available(command.feature)
    if available < quoted.charge:
        return insufficient(context, command.feature, quoted.charge, available)
    return Change(
        kind="consume",
        at=context.now,
        allocations=context.burn_down(command.feature, quoted.charge, "consumed"),
        detail=Detail(
            price=quoted.price,
            usage=None if command.usage == Usage() else command.usage,
            mark=quoted.mark,
            catalog_version=context.priced_by.version,
        ),
        feature_used=command.feature,
        credits_consumed=quoted.charge,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def insufficient(context: DecisionContext, feature: str, required: int, available: int) -> InsufficientCreditsError:
    """Return the refusal of a use that costs more than is available, with what else the account has and will get."""
    account = context.account
    upcoming = next_allowance(account, context.priced_by)
    return InsufficientCreditsError(
        feature,
        required,
        account.remaining,
        available,
        held=account.held,
        scheduled=sum(grant.remaining for grant in account.grants if grant.pending),
        next_allowance_at=None if upcoming is None else to_wire(upcoming[0]),
    )
