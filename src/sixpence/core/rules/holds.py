"""Holds: setting credits aside, and the commands by which that goes on or ends; what any end leaves: `ending`."""

from sixpence.core.account.change import Change
from sixpence.core.account.commands import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.core.account.hold import Beyond, Hold, HoldTerms, split
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail
from sixpence.core.catalog.price import Unpriced, Usage, beyond, price_of
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import BalanceLimitError, HoldEndedError, HoldNotFoundError, UnpricedUsageError
from sixpence.core.rules.consume import insufficient, quote
from sixpence.core.rules.context import Scene
from sixpence.core.rules.hold_ends import given_back, uncounted
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import INSTANT_MAX, SECOND, to_wire


def place(scene: Scene, command: PlaceHold) -> Change | RefusedError:
    """Set aside what the use costs; on an unlimited plan nothing, and the use is covered."""
    quoted = quote(scene, command.feature, command.usage, command.amount)
    if isinstance(quoted, RefusedError):
        return quoted
    available = scene.available(command.feature)
    if scene.account.held + quoted.charge > AMOUNT_MAX:
        return BalanceLimitError(quoted.charge, scene.account.held, AMOUNT_MAX)
    if available < quoted.charge:
        return insufficient(scene, command.feature, quoted.charge, available)
    return Change(
        kind="hold",
        at=scene.now,
        allocations=scene.take(command.feature, quoted.charge, "held"),
        detail=Detail(
            hold=HoldTerms(
                feature=command.feature,
                expires_at=min(scene.now + command.ttl_seconds * SECOND, INSTANT_MAX),
                catalog_version=scene.priced_by.version,
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


def extend(scene: Scene, command: ExtendHold) -> Change | RefusedError:
    """Let an open hold live longer."""
    hold = _open_hold(scene, command.hold_id)
    if isinstance(hold, RefusedError):
        return hold
    expires_at = min(scene.now + command.ttl_seconds * SECOND, INSTANT_MAX)
    return Change(
        kind="hold_extend",
        at=scene.now,
        detail=Detail(about=hold.id, hold_expires_at=max(expires_at, hold.terms.expires_at)),
        feature_used=hold.terms.feature,
        metadata=command.metadata,
    )


def release(scene: Scene, command: ReleaseHold) -> Change | RefusedError:
    """Give back all that an open hold has set aside."""
    hold = _open_hold(scene, command.hold_id)
    if isinstance(hold, RefusedError):
        return hold
    return Change(
        kind="release",
        at=scene.now,
        allocations=given_back(scene.account, hold.parts),
        detail=Detail(about=hold.id, mark=uncounted(hold), reason=command.reason),
        feature_used=hold.terms.feature,
        metadata=command.metadata,
    )


def capture(scene: Scene, command: CaptureHold) -> Change | RefusedError:
    """Charge what was really used and give the rest back; an expired hold only by a late use of its own."""
    hold = scene.account.holds.get(command.hold_id)
    if hold is None:
        return HoldNotFoundError(scene.account.account_id, command.hold_id)
    if hold.state == "expired" and command.late and not hold.captured_late:
        return _late(scene, command, hold)
    if hold.state != "open":
        return _ended(hold)
    price = _price(scene, command, hold)
    if isinstance(price, Unpriced):
        return UnpricedUsageError(price.field, price.problem)
    charge = _charge(scene, command, hold, price)
    taken, left = split(hold.parts, charge)
    rest = charge - sum(part for _, part in taken)
    available = scene.available(hold.terms.feature) if scene.account.standing == "open" else 0
    if available < rest and command.mode == "exact":
        return insufficient(scene, hold.terms.feature, charge, charge - rest + available)
    taken_beyond = min(rest, available)
    return Change(
        kind="capture",
        at=scene.now,
        allocations=(
            *(Allocation(name, "captured", -part) for name, part in taken),
            *given_back(scene.account, tuple(left)),
            *scene.take(hold.terms.feature, taken_beyond, "consumed"),
        ),
        detail=Detail(
            about=hold.id,
            price=price,
            usage=command.usage,
            shortfall=rest - taken_beyond if command.mode == "up_to_available" else None,
            catalog_version=hold.terms.catalog_version,
            # Only here does the catalog of now have a say.
            beyond=Beyond(scene.priced_by.version, rest) if hold.terms.covered or rest else None,
        ),
        feature_used=hold.terms.feature,
        credits_consumed=charge - rest + taken_beyond,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def _price(scene: Scene, command: CaptureHold, hold: Hold) -> int | Unpriced:
    """The list price of what was used, by the catalog of the hold's placing."""
    if command.amount is not None:
        return command.amount
    if command.usage is None:
        return hold.terms.price
    catalog = scene.priced_by.of_version(hold.terms.catalog_version).catalog
    return price_of(catalog.features[hold.terms.feature], command.usage)


def _charge(scene: Scene, command: CaptureHold, hold: Hold, price: int) -> int:
    """What the capture costs this account: on a covered hold only what goes beyond it, priced as of now.

    Where the feature is no longer sold by such units, it is what goes beyond by the prices of the placing.
    """
    if not hold.terms.covered:
        return price
    if scene.plan is not None and scene.plan.unlimited:
        return 0
    if command.usage is None or hold.terms.usage is None:
        return max(0, price - hold.terms.price)
    more = beyond(command.usage, hold.terms.usage)
    feature = scene.priced_by.catalog.features.get(hold.terms.feature)
    if more is None:
        return 0
    now = None if feature is None else price_of(feature, more)
    return now if isinstance(now, int) else max(0, price - hold.terms.price)


def _late(scene: Scene, command: CaptureHold, hold: Hold) -> Change | RefusedError:
    """A use of its own for an expired hold, priced as of now."""
    feature = hold.terms.feature
    amount = command.amount
    if amount is None and command.usage is None:
        amount = hold.terms.price
    quoted = quote(scene, feature, command.usage or Usage(), amount)
    if isinstance(quoted, RefusedError):
        return quoted
    available = scene.available(feature)
    if available < quoted.charge and command.mode == "exact":
        return insufficient(scene, feature, quoted.charge, available)
    charge = min(quoted.charge, available)
    return Change(
        kind="consume",
        at=scene.now,
        allocations=scene.take(feature, charge, "consumed"),
        detail=Detail(
            about=hold.id,
            late=True,
            price=quoted.price,
            usage=command.usage,
            shortfall=quoted.charge - charge if command.mode == "up_to_available" else None,
            mark=quoted.mark,
            catalog_version=scene.priced_by.version,
        ),
        feature_used=feature,
        credits_consumed=charge,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def _open_hold(scene: Scene, hold_id: str) -> Hold | RefusedError:
    hold = scene.account.holds.get(hold_id)
    if hold is None:
        return HoldNotFoundError(scene.account.account_id, hold_id)
    return hold if hold.state == "open" else _ended(hold)


def _ended(hold: Hold) -> HoldEndedError:
    assert hold.ended_at is not None
    return HoldEndedError(hold.id, hold.state, to_wire(hold.ended_at), hold.captured_late)
