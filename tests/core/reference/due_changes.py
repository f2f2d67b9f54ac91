"""Due changes: holds time out, gifts end or roll over, plans change, allowances come, gifts take effect."""

from collections.abc import Callable
from functools import partial

from sixpence.core.catalog.catalog import Catalog, Plan, PricedBy
from tests.core.reference.calendars import boundary
from tests.core.reference.fair_use import forget_use
from tests.core.reference.memory import Gift, Hold, Memory
from tests.core.reference.plans import (
    begin_next_term,
    end_plan_gifts,
    find_suspended_term,
    give_later_share,
    month_of,
    next_plan_name,
    suspend_term,
)

Event = tuple[int, int, tuple[int, str], Callable[[Memory, int, Catalog], None]]


def apply_due_changes(memory: Memory, now: int, priced_by: PricedBy) -> None:
    """Apply every change that is due by now, one after another, each under the catalog of its instant."""
    while due := [event for event in events(memory) if event[0] <= now]:
        at, _, _, happens = min(due, key=lambda event: event[:3])
        happens(memory, at, catalog_at(priced_by, at))


def catalog_at(priced_by: PricedBy, at: int) -> Catalog:
    """The last catalog that was applied by that instant, or else the first."""
    known = sorted([*priced_by.earlier, priced_by], key=lambda one: one.version)
    applied = [one.catalog for one in known if one.applied_at <= at]
    return applied[-1] if applied else known[0].catalog


def events(memory: Memory) -> list[Event]:
    """The changes to come: when, the place among those at one instant, of which hold or gift, and the function."""
    known: list[Event] = []
    for hold in memory.holds.values():
        if hold.ended is None:
            known.append((hold.until_at, 1, (hold.number, ""), partial(_time_out, hold)))
    for gift in memory.alive():
        if memory.pending(gift.name):
            known.append((gift.from_at, 5, gift.age(), partial(_take_effect, gift)))
        elif gift.until_at is not None and not memory.over(gift.name):
            known.append((gift.until_at, 2, gift.age(), partial(_end, gift)))
    term = memory.term
    if term is not None:
        if term.cancelled or term.next_plan is not None:
            known.append((term.ends_at, 3, (0, ""), _change_at_the_end))
        else:
            known.append((term.ends_at, 4, (0, ""), _begin_a_term))
        if term.drip and term.share < 12:
            known.append((month_of(term, term.share)[1], 4, (0, ""), _give_next_share))
    return known


def _time_out(hold: Hold, memory: Memory, at: int, catalog: Catalog) -> None:
    hold.ended, hold.ended_at = "expired", at
    for part, amount in hold.parts:
        memory.release(part, amount)
    forget_use(hold.use)
    memory.write("hold_expire", at, feature=hold.feature)


def _end(gift: Gift, memory: Memory, at: int, catalog: Catalog) -> None:
    free = memory.free(gift.name)
    rolls = min(free, _room_to_roll(gift, memory, at, catalog))
    if rolls <= 0:
        memory.move(gift.name, "expired", -free)
        memory.write("expire", at)
        return
    term = memory.term
    assert term is not None
    plan = catalog.plans[next_plan_name(memory, catalog)]
    assert plan.rollover is not None
    assert plan.period is not None
    memory.move(gift.name, "rolled", -rolls)
    if memory.left(gift.name):
        memory.move(gift.name, "expired", -(free - rolls))
    joined = find_suspended_term(memory, plan.period, at)
    anchor, number = (at, 0) if joined is None else (joined.anchor, joined.number)
    if plan.period == term.period:
        anchor, number = term.anchor, term.number + 1
    until_at = boundary(anchor, plan.period, number + plan.rollover.periods)
    terms = Gift(memory.next_name(), rolls, "plan", at, until_at, by_plan=gift.by_plan, rolled=True)
    memory.give(terms, "granted")
    memory.arrivals.clear()
    memory.write("rollover", at)


def _take_effect(gift: Gift, memory: Memory, at: int, catalog: Catalog) -> None:
    memory.move(gift.name, "took_effect", gift.amount)
    memory.arrivals.append((gift.name, gift.amount))
    memory.write("take_effect", at)


def _room_to_roll(gift: Gift, memory: Memory, at: int, catalog: Catalog) -> int:
    term = memory.term
    if gift.by_plan is None or gift.rolled or gift.carried or term is None or term.cancelled:
        return 0
    if term.ends_at != at or term.period is None:
        return 0
    plan = catalog.plans.get(next_plan_name(memory, catalog), Plan())
    if plan.rollover is None or plan.period is None:
        return 0
    return plan.rollover.cap - sum(memory.left(gift.name) for gift in _rolled(memory))


def _rolled(memory: Memory) -> list[Gift]:
    return [gift for gift in memory.in_effect() if gift.rolled]


def _change_at_the_end(memory: Memory, at: int, catalog: Catalog) -> None:
    term = memory.term
    assert term is not None
    cancelled, memory.plan = term.cancelled, next_plan_name(memory, catalog)
    plan = catalog.plans.get(memory.plan, Plan())
    room = plan.rollover.cap if plan.rollover is not None else 0
    stays = plan.rollover is not None and plan.period is not None and not cancelled
    for gift in _rolled(memory):
        left, free = memory.left(gift.name), memory.free(gift.name)
        if stays and left > room and free:
            memory.move(gift.name, "trimmed", -min(left - room, free))
        room = max(0, room - left)
    if not stays:
        end_plan_gifts(memory)
    term.next_plan, term.cancelled = None, False
    if plan.period is None:
        memory.term = None
    memory.write("plan_change", at)


def _begin_a_term(memory: Memory, at: int, catalog: Catalog) -> None:
    plan = catalog.plans.get(memory.plan, Plan())
    begin_next_term(memory, plan, at)
    memory.write("allowance", at)


def _give_next_share(memory: Memory, at: int, catalog: Catalog) -> None:
    term, plan = memory.term, catalog.plans.get(memory.plan, Plan())
    assert term is not None
    term.share += 1
    if plan.period is None:
        suspend_term(memory, at)
    else:
        give_later_share(memory, plan, at)
    memory.write("allowance", at)
