"""What time does alone: holds time out, gifts end or roll over, plans change, allowances come, gifts take effect."""

from collections.abc import Callable
from functools import partial

from sixpence.core.catalog import Catalog, Plan, PricedBy
from tests.core.reference.calendars import boundary
from tests.core.reference.fair_use import forget_use
from tests.core.reference.memory import Gift, Hold, Memory, Term
from tests.core.reference.subscribing import (
    begin_next,
    give_share,
    month_of,
    plan_that_begins,
)

Event = tuple[int, int, tuple[int, str], Callable[[Memory, int, Catalog], None]]


def let_time_pass(memory: Memory, now: int, priced_by: PricedBy) -> None:
    """Let everything happen that is due by now, one after another, each under the catalog of its instant."""
    while events := [event for event in _events(memory) if event[0] <= now]:
        at, _, _, happens = min(events, key=lambda event: event[:3])
        happens(memory, at, catalog_at(priced_by, at))


def catalog_at(priced_by: PricedBy, at: int) -> Catalog:
    """The catalog that was applied last by that instant, else the first."""
    known = sorted([*priced_by.earlier, priced_by], key=lambda one: one.version)
    applied = [one.catalog for one in known if one.applied_at <= at]
    return applied[-1] if applied else known[0].catalog


def _events(memory: Memory) -> list[Event]:
    events: list[Event] = []
    for hold in memory.holds.values():
        if hold.ended is None:
            events.append((hold.until_at, 1, (hold.number, ""), partial(_time_out, hold)))
    for gift in memory.alive():
        if memory.pending(gift.name):
            events.append((gift.from_at, 5, gift.age(), partial(_take_effect, gift)))
        elif gift.until_at is not None and not memory.over(gift.name):
            events.append((gift.until_at, 2, gift.age(), partial(_end, gift)))
    term = memory.term
    if term is not None and not term.asleep:
        if term.cancelled or term.next_plan is not None:
            events.append((term.ends_at, 3, (0, ""), _change_at_the_end))
        else:
            events.append((term.ends_at, 4, (0, ""), _begin_a_term))
        if term.drip and term.share < 12:
            events.append((month_of(term, term.share)[1], 4, (0, ""), _give_next_share))
    return events


def _time_out(hold: Hold, memory: Memory, at: int, catalog: Catalog) -> None:
    hold.ended, hold.ended_at = "expired", at
    for part, amount in hold.parts:
        memory.let_go(part, amount)
    forget_use(hold.use)
    memory.write("hold_expire", at)


def _end(gift: Gift, memory: Memory, at: int, catalog: Catalog) -> None:
    free = memory.free(gift.name)
    rolls = min(free, _room_to_roll(gift, memory, at, catalog))
    if rolls <= 0:
        memory.move(gift.name, "expired", -free)
        memory.write("expire", at)
        return
    term = memory.term
    assert term is not None
    plan = catalog.plans[plan_that_begins(memory, catalog)]
    assert plan.rollover is not None
    assert plan.period is not None
    memory.move(gift.name, "rolled", -rolls)
    if free > rolls:
        memory.move(gift.name, "expired", -(free - rolls))
    anchor, number = (term.anchor, term.number + 1) if plan.period == term.period else (at, 0)
    until_at = boundary(anchor, plan.period, number + plan.rollover.periods)
    terms = Gift(memory.next_name(), rolls, "plan", at, until_at, by_plan=gift.by_plan, rolled=True)
    memory.give(terms, "granted")
    memory.write("rollover", at)


def _room_to_roll(gift: Gift, memory: Memory, at: int, catalog: Catalog) -> int:
    term = memory.term
    if gift.by_plan is None or gift.rolled or term is None or term.asleep or term.cancelled:
        return 0
    if term.ends_at != at or term.period is None:
        return 0
    plan = catalog.plans.get(plan_that_begins(memory, catalog), Plan())
    if plan.rollover is None or plan.period is None:
        return 0
    return plan.rollover.cap - sum(memory.left(gift.name) for gift in _rolled(memory))


def _rolled(memory: Memory) -> list[Gift]:
    return [gift for gift in memory.in_effect() if gift.rolled]


def _change_at_the_end(memory: Memory, at: int, catalog: Catalog) -> None:
    term = memory.term
    assert term is not None
    cancelled, memory.plan = term.cancelled, plan_that_begins(memory, catalog)
    plan = catalog.plans.get(memory.plan, Plan())
    room = plan.rollover.cap if plan.rollover is not None and not cancelled else 0
    for gift in _rolled(memory):
        left, free = memory.left(gift.name), memory.free(gift.name)
        if cancelled:
            memory.move(gift.name, "expired", -free)
        elif left > room and free:
            memory.move(gift.name, "trimmed", -min(left - room, free))
        room = max(0, room - left)
    term.next_plan, term.cancelled = None, False
    if plan.period is None:
        memory.term = None
    memory.write("plan_change", at)


def _begin_a_term(memory: Memory, at: int, catalog: Catalog) -> None:
    plan = catalog.plans.get(memory.plan, Plan())
    begin_next(memory, plan, at)
    _write_allowance(memory, at)


def _give_next_share(memory: Memory, at: int, catalog: Catalog) -> None:
    term = memory.term
    assert isinstance(term, Term)
    term.share += 1
    plan = catalog.plans.get(memory.plan, Plan())
    give_share(memory, plan, at)
    term.drip = True
    _write_allowance(memory, at)


def _write_allowance(memory: Memory, at: int) -> None:
    if memory.unwritten:
        memory.write("allowance", at)
