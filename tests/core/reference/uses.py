"""Uses and holds: consuming a feature, and placing, extending, capturing and releasing a hold."""

from dataclasses import dataclass, field

from sixpence.core.account.commands import CaptureHold, Consume, ExtendHold, PlaceHold, ReleaseHold
from sixpence.core.catalog.catalog import Catalog, Plan, PricedBy
from sixpence.core.catalog.price import Usage
from tests.core.reference.fair_use import count_use, forget_use, opens_at
from tests.core.reference.memory import OVERDRAFT, Hold, Memory
from tests.core.reference.prices import LARGEST, beyond, price

_SECOND = 1_000_000


@dataclass(frozen=True)
class Refused:
    """The code of a refusal, and its facts."""

    code: str
    facts: dict[str, object] = field(default_factory=dict)


def consume(memory: Memory, command: Consume, now: int, priced_by: PricedBy) -> Refused | None:
    """Spend what a use costs."""
    return _spend(memory, command.feature, command.usage, None, now, priced_by)


def place_hold(memory: Memory, command: PlaceHold, now: int, priced_by: PricedBy) -> Refused | None:
    """Set aside what a use will cost."""
    catalog = priced_by.catalog
    cost = _list_price(memory, command.feature, command.usage, command.amount, now, catalog)
    if isinstance(cost, Refused):
        return cost
    plan = catalog.plans[memory.plan]
    needed = 0 if plan.unlimited else cost
    available = memory.available(command.feature, catalog)
    if memory.all_held() + needed > LARGEST:
        return Refused("balance-limit", {"amount": needed, "total": memory.all_held(), "limit": LARGEST})
    if needed > available:
        return _insufficient(command.feature, needed, available)
    parts = []
    for part, amount in _take(memory, command.feature, needed):
        memory.move(part, "held", -amount)
        parts.append((part, amount))
    number = len(memory.rows) + 1
    until_at = now + command.ttl_seconds * _SECOND
    covered = command.usage if command.amount is None else None
    use = count_use(memory, plan, now)
    memory.holds[number] = Hold(number, command.feature, priced_by, until_at, parts, plan.unlimited, covered, cost, use)
    memory.write("hold", now, feature=command.feature)
    return None


def extend_hold(memory: Memory, command: ExtendHold, now: int) -> Refused | None:
    """Let a hold live longer."""
    hold = _open_hold(memory, command.hold_id)
    if isinstance(hold, Refused):
        return hold
    hold.until_at = max(hold.until_at, now + command.ttl_seconds * _SECOND)
    memory.write("hold_extend", now, feature=hold.feature)
    return None


def release_hold(memory: Memory, command: ReleaseHold, now: int) -> Refused | None:
    """Give back all that is held."""
    hold = _open_hold(memory, command.hold_id)
    if isinstance(hold, Refused):
        return hold
    hold.ended, hold.ended_at = "released", now
    for part, amount in hold.parts:
        memory.release(part, amount)
    forget_use(hold.use)
    memory.write("release", now, feature=hold.feature)
    return None


def capture_hold(memory: Memory, command: CaptureHold, now: int, priced_by: PricedBy) -> Refused | None:
    """Charge what was used, first from held credits, then from available ones."""
    found = _find_hold(memory, command.hold_id)
    if found is not None and found.ended == "expired" and command.late and not found.captured_late:
        return _capture_late(memory, found, command, now, priced_by)
    hold = _open_hold(memory, command.hold_id)
    if isinstance(hold, Refused):
        return hold
    charge = _charge(memory, hold, command, priced_by.catalog)
    if charge is None:
        return Refused("invalid-usage")
    held, beyond_held = hold.amount(), max(0, charge - hold.amount())
    available = memory.available(hold.feature, priced_by.catalog) if memory.standing == "open" else 0
    if beyond_held > available and command.mode == "exact":
        return _insufficient(hold.feature, charge, held + available)
    takes = min(beyond_held, available)
    more = _take(memory, hold.feature, takes)
    hold.ended, hold.ended_at = "captured", now
    owing, rests = min(charge, held), []
    for part, amount in hold.parts:
        taken = min(owing, amount)
        owing -= taken
        if taken:
            memory.move(part, "captured", -taken)
        rests.append((part, amount - taken))
    for part, amount in rests:
        memory.release(part, amount)
    for part, amount in more:
        memory.move(part, "consumed", -amount)
    charged = min(charge, held) + takes
    memory.write("capture", now, feature=hold.feature, consumed=charged, shortfall=(charge - charged) or None)
    return None


def _charge(memory: Memory, hold: Hold, command: CaptureHold, catalog: Catalog) -> int | None:
    """What a capture charges: by the prices of the hold's placing, beyond what an unlimited plan covered by today's.

    Under an unlimited plan nothing is charged beyond what the hold has.
    """
    sold_then, sold_now = hold.priced_by.catalog.features[hold.feature], catalog.features.get(hold.feature)
    listed: int | None = hold.worth
    if command.amount is not None:
        listed = command.amount
    elif command.usage is not None:
        listed = price(sold_then, command.usage)
    if listed is not None and catalog.plans.get(memory.plan, Plan()).unlimited:
        return min(listed, hold.amount())
    if listed is None or not hold.unlimited:
        return listed
    by_placing = max(0, listed - hold.worth)
    if command.amount is not None or command.usage is None or hold.covered is None:
        return by_placing
    rest = beyond(command.usage, hold.covered)
    if rest is None:
        return 0
    today = None if sold_now is None else price(sold_now, rest)
    return by_placing if today is None else today


def _capture_late(memory: Memory, hold: Hold, command: CaptureHold, now: int, priced_by: PricedBy) -> Refused | None:
    amount = hold.worth if command.usage is None and command.amount is None else command.amount
    usage = command.usage or Usage()
    up_to = command.mode == "up_to_available"
    refused = _spend(memory, hold.feature, usage, amount, now, priced_by, up_to_available=up_to)
    hold.captured_late = refused is None
    return refused


def _spend(
    memory: Memory,
    feature: str,
    usage: Usage,
    amount: int | None,
    now: int,
    priced_by: PricedBy,
    *,
    up_to_available: bool = False,
) -> Refused | None:
    catalog = priced_by.catalog
    cost = _list_price(memory, feature, usage, amount, now, catalog)
    if isinstance(cost, Refused):
        return cost
    plan = catalog.plans[memory.plan]
    cost = 0 if plan.unlimited else cost
    available = memory.available(feature, catalog)
    if cost > available and not up_to_available:
        return _insufficient(feature, cost, available)
    taken = min(cost, available)
    for part, share in _take(memory, feature, taken):
        memory.move(part, "consumed", -share)
    count_use(memory, plan, now)
    memory.write("consume", now, feature=feature, consumed=taken, shortfall=(cost - taken) or None)
    return None


def _list_price(
    memory: Memory, feature: str, usage: Usage, amount: int | None, now: int, catalog: Catalog
) -> int | Refused:
    """The list price of a use, or why it is refused; a given amount replaces the price."""
    if memory.standing != "open":
        return Refused(f"account-{memory.standing}")
    if feature not in catalog.features:
        return Refused("unknown-feature")
    if memory.plan not in catalog.plans:
        return Refused("unknown-plan")
    cost = price(catalog.features[feature], usage) if amount is None else amount
    if cost is None:
        return Refused("invalid-usage")
    plan = catalog.plans[memory.plan]
    if plan.unlimited and plan.fair_use is not None:
        opens = opens_at(memory, plan, now)
        if opens is not True:
            return Refused("fair-use-limit", {"opens_at": opens})
    return cost


def _take(memory: Memory, feature: str, amount: int) -> list[tuple[str, int]]:
    """Which gifts an amount comes from, in burn-down order, and what from the overdraft."""
    parts = []
    for gift in memory.spendable(feature):
        part = min(amount, memory.free(gift.name))
        if part:
            parts.append((gift.name, part))
        amount -= part
    if amount:
        parts.append((OVERDRAFT, amount))
    return parts


def _insufficient(feature: str, required: int, available: int) -> Refused:
    return Refused("insufficient-credits", {"feature": feature, "required": required, "available": available})


def _find_hold(memory: Memory, name: str) -> Hold | None:
    return memory.holds.get(int(name)) if name.isdigit() else None


def _open_hold(memory: Memory, name: str) -> Hold | Refused:
    hold = _find_hold(memory, name)
    if hold is None:
        return Refused("hold-not-found")
    if hold.ended is not None:
        facts = {"state": hold.ended, "ended_at": hold.ended_at, "captured_late": hold.captured_late}
        return Refused("hold-ended", facts)
    return hold
