"""Plans: a change now or at the term's end, trials, cancelling, and what a term gives.

Not here: when a term's end and its allowances come (passing.py).
"""

from dataclasses import dataclass

from sixpence.core.catalog.catalog import Catalog, Plan
from tests.core.reference.calendars import DAY, boundary
from tests.core.reference.memory import Gift, Memory, Term
from tests.core.reference.prices import LARGEST


@dataclass(frozen=True)
class Change:
    """The outcome of a change of plan: the code of a refusal, or whether anything changed."""

    refused: str | None = None
    changed: bool = False


def change_plan(memory: Memory, name: str, *, trial: bool, now: int, catalog: Catalog) -> Change:
    """Put the account on the plan now, or let it wait for the term's end."""
    if name not in catalog.plans:
        return Change(refused="unknown-plan")
    plan, term = catalog.plans[name], memory.term
    running = term is not None
    on_trial = term is not None and term.period is None
    if trial and (plan.trial is None or name in memory.tried or not _is_immediate(memory, name, catalog)):
        return Change(refused="trial-refused")
    if trial:
        assert plan.trial is not None
        end_plan_gifts(memory)
        _suspend(memory, now)
        memory.plan = name
        memory.tried.append(name)
        memory.term = Term(now, None, 0, now + plan.trial.days * DAY)
        _give(memory, memory.term, plan.trial.allowance, now)
        return Change(changed=True)
    if name == memory.plan and on_trial:
        _change_now(memory, name, now, catalog)
        return Change(changed=True)
    if name == memory.plan and not running and plan.period is not None:
        _change_now(memory, name, now, catalog)
        return Change(changed=True)
    if name == memory.plan:
        return Change(changed=_stop_waiting(memory))
    if _is_immediate(memory, name, catalog):
        _change_now(memory, name, now, catalog)
        return Change(changed=True)
    assert term is not None
    changed = term.next_plan != name or term.cancelled
    term.next_plan, term.cancelled = name, False
    return Change(changed=changed)


def cancel_plan(memory: Memory, *, now: int, catalog: Catalog) -> Change:
    """Let the account fall to the default plan when the term ends, at once if none is running."""
    term = memory.term
    waiting = _waits(term)
    if memory.plan == catalog.default_plan and not waiting:
        return Change()
    if term is None:
        _change_now(memory, catalog.default_plan, now, catalog)
        return Change(changed=True)
    changed = not term.cancelled
    term.next_plan, term.cancelled = None, True
    return Change(changed=changed)


def next_plan_name(memory: Memory, catalog: Catalog) -> str:
    """The plan after the running term."""
    term = memory.term
    assert term is not None
    if term.next_plan is None and not term.cancelled:
        return memory.plan
    return term.next_plan if term.next_plan in catalog.plans else catalog.default_plan


def begin_or_resume_term(memory: Memory, plan: Plan, at: int) -> None:
    """Resume the suspended term of the plan's period, if it has not ended; else begin a term at that instant.

    A new term gives a whole allowance or its first share. A plan without a period has no term.
    """
    memory.term = None
    if plan.period is None:
        return
    joined = find_suspended_term(memory, plan.period, at)
    memory.aside = [term for term in memory.aside if term.period != plan.period]
    if joined is not None:
        memory.term = joined
        _give_the_rest(memory, joined, plan, at)
    else:
        memory.term = Term(at, plan.period, 0, boundary(at, plan.period, 1))
        _give_first(memory, memory.term, plan, at)


def find_suspended_term(memory: Memory, period: str, at: int) -> Term | None:
    """The suspended term of that period, if it has not ended."""
    return next((term for term in memory.aside if term.period == period and at < term.ends_at), None)


def suspend_term(memory: Memory, at: int) -> None:
    """Suspend the running term, because the plan no longer has one."""
    _suspend(memory, at)
    memory.term = None


def begin_next_term(memory: Memory, plan: Plan, at: int) -> None:
    """Begin the term after the running one; for another period, or after a trial, as `begin_or_resume_term` does."""
    term = memory.term
    assert term is not None
    if plan.period is None or plan.period != term.period:
        begin_or_resume_term(memory, plan, at)
        return
    number = term.number + 1
    memory.term = Term(term.anchor, term.period, number, boundary(term.anchor, term.period, number + 1))
    _give_first(memory, memory.term, plan, at)


def give_later_share(memory: Memory, plan: Plan, at: int) -> None:
    """Give the share of the month that begins; nothing if the plan gives no shares any more."""
    term = memory.term
    assert term is not None
    term.drip = plan.drip
    term.offers.append(plan.allowance)
    _give(memory, term, min(share_of(plan, term.share), _room(term)) if plan.drip else 0, at)


def end_plan_gifts(memory: Memory) -> list[tuple[Gift, int]]:
    """End the gifts of plans; nothing that was spent of them comes back to them, either.

    Their terms have not given what is unspent of them. Returned are those gifts, with how much of each was not spent.
    """
    unspent = []
    for gift in memory.alive():
        if gift.by_plan is not None and not memory.over(gift.name):
            free = memory.free(gift.name)
            memory.move(gift.name, "expired", -free)
            if free and not gift.rolled and gift.term is not None:
                gift.term.given.append(-free)
                unspent.append((gift, free))
    for gift in memory.gifts.values():
        gift.plan_over = gift.plan_over or gift.by_plan is not None
    return unspent


def share_of(plan: Plan, share: int) -> int:
    """The whole allowance, or for a plan that drips that month's share of it."""
    if not plan.drip:
        return plan.allowance
    return plan.allowance * share // 12 - plan.allowance * (share - 1) // 12


def month_of(term: Term, share: int) -> tuple[int, int]:
    """When a month of a year's term begins and ends, counted from the anchor."""
    months = 12 * term.number + share
    return boundary(term.anchor, "month", months - 1), boundary(term.anchor, "month", months)


def _is_immediate(memory: Memory, name: str, catalog: Catalog) -> bool:
    current = catalog.plans.get(memory.plan)
    if name == memory.plan:
        return False
    if memory.term is None or current is None:
        return True
    return catalog.plans[name].rank > current.rank


def _change_now(memory: Memory, name: str, now: int, catalog: Catalog) -> None:
    plan, term, left = catalog.plans[name], memory.term, memory.plan
    memory.plan = name
    unspent = end_plan_gifts(memory)
    _stop_waiting(memory)
    if term is not None and plan.period is not None and term.period == plan.period:
        _give_the_rest(memory, term, plan, now)
    else:
        _suspend(memory, now)
        begin_or_resume_term(memory, plan, now)
    if memory.term is not None:
        missing = sum(free for _, free in unspent) - memory.term.given[-1]
        _carry(memory, unspent, missing, by_plan=left, now=now)


def _carry(memory: Memory, unspent: list[tuple[Gift, int]], missing: int, *, by_plan: str, now: int) -> None:
    """Give again what the new plan does not replace: one gift for each term, from those that end last."""
    of_terms: list[tuple[Term, list[int]]] = []
    for gift, free in reversed(unspent):
        assert gift.term is not None
        known = next((parts for term, parts in of_terms if term is gift.term), None)
        if known is None:
            of_terms.append((gift.term, [free]))
        else:
            known.append(free)
    for term, parts in of_terms:
        amount = min(sum(parts), missing)
        if amount > 0:
            missing -= amount
            term.given.append(amount)
            name = memory.next_name()
            memory.give(
                Gift(name, amount, "plan", now, term.ends_at, by_plan=by_plan, term=term, carried=True), "granted"
            )


def _give_the_rest(memory: Memory, term: Term, plan: Plan, now: int) -> None:
    begins_at, ends_at = boundary(term.anchor, plan.period or "", term.number), term.ends_at
    if plan.drip:
        term.share = next(share for share in range(1, 13) if now < month_of(term, share)[1])
        begins_at, ends_at = month_of(term, term.share)
    term.drip = plan.drip
    term.offers.append(plan.allowance)
    in_proportion = share_of(plan, term.share) * (ends_at - now) // (ends_at - begins_at)
    _give(memory, term, min(in_proportion, _room(term)), now)


def _give_first(memory: Memory, term: Term, plan: Plan, at: int) -> None:
    term.drip = plan.drip
    term.offers.append(plan.allowance)
    _give(memory, term, share_of(plan, 1), at)


def _room(term: Term) -> int:
    """What the term may still give: the best of its plans, by its months so far where it drips, minus what it gave."""
    best = max(term.offers)
    return max(0, (best * term.share // 12 if term.drip else best) - sum(term.given))


def _suspend(memory: Memory, now: int) -> None:
    """Remember the running term until it ends; a trial is not remembered."""
    _stop_waiting(memory)
    term = memory.term
    if term is not None and term.period is not None and now < term.ends_at:
        memory.aside = [other for other in memory.aside if other.period != term.period] + [term]


def _stop_waiting(memory: Memory) -> bool:
    term = memory.term
    if term is None or not _waits(term):
        return False
    term.next_plan, term.cancelled = None, False
    return True


def _waits(term: Term | None) -> bool:
    return term is not None and (term.cancelled or term.next_plan is not None)


def _give(memory: Memory, term: Term, amount: int, at: int) -> None:
    term.given.append(amount)
    later = sum(memory.left(name) for name in memory.gifts if memory.pending(name))
    amount = min(amount, LARGEST - memory.total() - later)
    if amount > 0:
        gift = Gift(memory.next_name(), amount, "plan", at, term.ends_at, by_plan=memory.plan, term=term)
        memory.give(gift, "granted")
