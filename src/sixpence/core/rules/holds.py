"""Holds: placing, extending, capturing and releasing them.

Not here: what the end of any hold does to its credits (`hold_ends`).
"""

from sixpence.core.account.change import Change
from sixpence.core.account.commands import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.core.account.hold import Beyond, Hold, HoldTerms, split
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail
from sixpence.core.catalog.price import Unpriced, Usage, beyond, find_model_fault, price_of
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import BalanceLimitError, HoldEndedError, HoldNotFoundError, UnpricedUsageError
from sixpence.core.rules import versions
from sixpence.core.rules.consume import insufficient, quote
from sixpence.core.rules.context import DecisionContext
from sixpence.core.rules.hold_ends import give_back, uncount_use
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import INSTANT_MAX, SECOND, to_wire


def place(context: DecisionContext, command: PlaceHold) -> Change | RefusedError:
    """Set aside what the use costs; an unlimited plan covers the use, and nothing is set aside."""
    quoted = quote(context, command.feature, command.usage, command.amount)
    if isinstance(quoted, RefusedError):
        return quoted
    if command.amount is not None and command.usage.model is not None:
        # The capture will send this model's tokens: without a price it would be refused after the work.
        fault = find_model_fault(context.priced_by.catalog.features[command.feature], command.usage.model)
        if fault is not None:
            return UnpricedUsageError(fault.field, fault.problem)
    available = context.available(command.feature)
    if context.account.held + quoted.charge > AMOUNT_MAX:
        return BalanceLimitError(quoted.charge, context.account.held, AMOUNT_MAX)
    if available < quoted.charge:
        return insufficient(context, command.feature, quoted.charge, available)
    return Change(
        kind="hold",
        at=context.now,
        allocations=context.burn_down(command.feature, quoted.charge, "held"),
        detail=Detail(
            hold=HoldTerms(
                feature=command.feature,
                expires_at=min(context.now + command.ttl_seconds * SECOND, INSTANT_MAX),
                catalog_version=context.priced_by.version,
                price=quoted.price,
                usage=command.usage if command.amount is None else None,
                covered=quoted.unlimited,
            ),
            mark=quoted.mark,
        ),
        feature_used=command.feature,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def extend(context: DecisionContext, command: ExtendHold) -> Change | RefusedError:
    """Let an open hold live longer."""
    hold = _open_hold(context, command.hold_id)
    if isinstance(hold, RefusedError):
        return hold
    expires_at = min(context.now + command.ttl_seconds * SECOND, INSTANT_MAX)
    return Change(
        kind="hold_extend",
        at=context.now,
        detail=Detail(about=hold.id, hold_expires_at=max(expires_at, hold.terms.expires_at)),
        feature_used=hold.terms.feature,
        metadata=command.metadata,
    )


def release(context: DecisionContext, command: ReleaseHold) -> Change | RefusedError:
    """Give back all that an open hold has set aside."""
    hold = _open_hold(context, command.hold_id)
    if isinstance(hold, RefusedError):
        return hold
    return Change(
        kind="release",
        at=context.now,
        allocations=give_back(context.account, hold.parts),
        detail=Detail(about=hold.id, mark=uncount_use(hold), reason=command.reason),
        feature_used=hold.terms.feature,
        metadata=command.metadata,
    )


def capture(context: DecisionContext, command: CaptureHold) -> Change | RefusedError:
    """Charge what was really used and release the rest; an expired hold is charged late, as a new use."""
    hold = context.account.holds.get(command.hold_id)
    if hold is None:
        return HoldNotFoundError(context.account.account_id, command.hold_id)
    if hold.state == "expired" and command.late and not hold.captured_late:
        return _late(context, command, hold)
    if hold.state != "open":
        return _ended(hold)
    price = _price(context, command, hold)
    if isinstance(price, Unpriced):
        return UnpricedUsageError(price.field, price.problem)
    is_free_beyond = _is_free_beyond(context, hold, price)
    charge = hold.amount if is_free_beyond else _charge(context, command, hold, price)
    taken, left = split(hold.parts, charge)
    rest = charge - sum(part for _, part in taken)
    available = context.available(hold.terms.feature) if context.account.standing == "open" else 0
    if available < rest and command.mode == "exact":
        return insufficient(context, hold.terms.feature, charge, charge - rest + available)
    taken_beyond = min(rest, available)
    return Change(
        kind="capture",
        at=context.now,
        allocations=(
            *(Allocation(name, "captured", -part) for name, part in taken),
            *give_back(context.account, tuple(left)),
            *context.burn_down(hold.terms.feature, taken_beyond, "consumed"),
        ),
        detail=Detail(
            about=hold.id,
            price=price,
            usage=command.usage,
            shortfall=rest - taken_beyond if command.mode == "up_to_available" else None,
            catalog_version=hold.terms.catalog_version,
            # Only this part is decided by the current catalog.
            beyond=Beyond(context.priced_by.version, rest) if hold.terms.covered or rest or is_free_beyond else None,
            rules=versions.UNLIMITED_BEYOND_HELD if is_free_beyond else 1,
        ),
        feature_used=hold.terms.feature,
        credits_consumed=charge - rest + taken_beyond,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def _price(context: DecisionContext, command: CaptureHold, hold: Hold) -> int | Unpriced:
    """Return the list price of what was used, by the catalog in force when the hold was placed."""
    if command.amount is not None:
        return command.amount
    if command.usage is None:
        return hold.terms.price
    catalog = context.priced_by.of_version(hold.terms.catalog_version).catalog
    return price_of(catalog.features[hold.terms.feature], command.usage)


def _is_free_beyond(context: DecisionContext, hold: Hold, price: int) -> bool:
    """Whether the current plan, which is unlimited, pays for what goes beyond the credits that the hold set aside."""
    unlimited = context.plan is not None and context.plan.unlimited
    new_rule = context.rules >= versions.UNLIMITED_BEYOND_HELD
    return new_rule and unlimited and not hold.terms.covered and price > hold.amount


def _charge(context: DecisionContext, command: CaptureHold, hold: Hold, price: int) -> int:
    """Return what the capture costs this account: for a covered hold only the part beyond it, at current prices.

    Where the current catalog cannot price that part, the prices of the hold's placing do.
    """
    if not hold.terms.covered:
        return price
    if context.plan is not None and context.plan.unlimited:
        return 0
    if command.usage is None or hold.terms.usage is None:
        return max(0, price - hold.terms.price)
    more = beyond(command.usage, hold.terms.usage)
    feature = context.priced_by.catalog.features.get(hold.terms.feature)
    if more is None:
        return 0
    now = None if feature is None else price_of(feature, more)
    return now if isinstance(now, int) else max(0, price - hold.terms.price)


def _late(context: DecisionContext, command: CaptureHold, hold: Hold) -> Change | RefusedError:
    """Charge an expired hold as a new use, at current prices."""
    feature = hold.terms.feature
    amount = command.amount
    if amount is None and command.usage is None:
        amount = hold.terms.price
    quoted = quote(context, feature, command.usage or Usage(), amount)
    if isinstance(quoted, RefusedError):
        return quoted
    available = context.available(feature)
    if available < quoted.charge and command.mode == "exact":
        return insufficient(context, feature, quoted.charge, available)
    charge = min(quoted.charge, available)
    return Change(
        kind="consume",
        at=context.now,
        allocations=context.burn_down(feature, charge, "consumed"),
        detail=Detail(
            about=hold.id,
            late=True,
            price=quoted.price,
            usage=command.usage,
            shortfall=quoted.charge - charge if command.mode == "up_to_available" else None,
            mark=quoted.mark,
            catalog_version=context.priced_by.version,
        ),
        feature_used=feature,
        credits_consumed=charge,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def _open_hold(context: DecisionContext, hold_id: str) -> Hold | RefusedError:
    hold = context.account.holds.get(hold_id)
    if hold is None:
        return HoldNotFoundError(context.account.account_id, hold_id)
    return hold if hold.state == "open" else _ended(hold)


def _ended(hold: Hold) -> HoldEndedError:
    assert hold.ended_at is not None
    return HoldEndedError(hold.id, hold.state, to_wire(hold.ended_at), hold.captured_late)
