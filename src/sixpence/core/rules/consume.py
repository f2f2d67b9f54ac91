"""Uses: what one costs under the account's plan, whether it may be, and spending for it."""

import msgspec

from sixpence.core.account.change import Change
from sixpence.core.account.commands import Consume
from sixpence.core.account.fair_use import Mark, counted, mark, of, opens_at
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
from sixpence.core.rules.context import Scene
from sixpence.core.rules.forecast import next_allowance
from sixpence.core.values.instant import to_wire


class Quote(msgspec.Struct, frozen=True, gc=False):
    """What a use costs: by the list, and to this account; and how it counts under the plan's fair use."""

    price: int
    charge: int
    unlimited: bool
    mark: Mark | None


def quote(scene: Scene, feature: str, usage: Usage, amount: int | None = None) -> Quote | RefusedError:
    """What the use costs now; `amount` takes the place of the list price where it is given.

    Refused for what cannot be sold to this account now, whatever it has: a frozen account, fair use that is used up.
    """
    account, catalog, plan = scene.account, scene.priced_by.catalog, scene.plan
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
    window = of(account.windows, fair_use.per)
    if counted(window, fair_use.per, scene.now) >= fair_use.uses:
        opens = opens_at(window, fair_use.per, fair_use.uses, scene.now)
        return FairUseError(account.plan, fair_use.uses, fair_use.per, None if opens is None else to_wire(opens))
    return Quote(price, 0, plan.unlimited, mark(fair_use.per, scene.now))


def consume(scene: Scene, command: Consume) -> Change | RefusedError:
    """Spend what the use costs."""
    quoted = quote(scene, command.feature, command.usage)
    if isinstance(quoted, RefusedError):
        return quoted
    available = scene.available(command.feature)
    if available < quoted.charge:
        return insufficient(scene, command.feature, quoted.charge, available)
    return Change(
        kind="consume",
        at=scene.now,
        allocations=scene.take(command.feature, quoted.charge, "consumed"),
        detail=Detail(
            price=quoted.price,
            usage=None if command.usage == Usage() else command.usage,
            mark=quoted.mark,
            catalog_version=scene.priced_by.version,
        ),
        feature_used=command.feature,
        credits_consumed=quoted.charge,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def insufficient(scene: Scene, feature: str, required: int, available: int) -> InsufficientCreditsError:
    """The refusal of a use that costs more than is available, with what else the account has and will get."""
    account = scene.account
    coming = next_allowance(account, scene.priced_by)
    return InsufficientCreditsError(
        feature,
        required,
        account.remaining,
        available,
        held=account.held,
        scheduled=sum(grant.remaining for grant in account.grants if grant.pending),
        next_allowance_at=None if coming is None else to_wire(coming[0]),
    )
