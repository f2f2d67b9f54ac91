"""Terms: what a plan gives when a term begins and during it, and what remains of an allowance when the term ends.

Everything here happens at an instant of the term, under the plan and the catalog of that instant. Not here: which plan
an account is on (`plans`), and the calendar (`catalog.period`).
"""

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.fold import next_id
from sixpence.core.account.grant import Grant
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Subscription, SuspendedTerm
from sixpence.core.account.transaction import Detail, GrantTerms
from sixpence.core.catalog.catalog import Catalog, Period, Plan, PricedBy
from sixpence.core.catalog.period import index_at, prorated, share, start_of, term_at
from sixpence.core.rules.context import repay_debt
from sixpence.core.rules.unspent import Unspent
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY, INSTANT_MAX

_MONTHS = 12


class TermStart(msgspec.Struct, frozen=True):
    """A term, or a share of one, that begins: the subscription from then on, and the credits it gives.

    `carried` are unspent credits of earlier terms that stay beside them.
    """

    subscription: Subscription
    amount: int
    carried: tuple[Unspent, ...] = ()


def begin_term(before: Subscription | None, plan: Plan, period: Period, *, anchor: int, at: int) -> TermStart:
    """Begin the whole term of `plan` that contains `at`: with its whole allowance, or the share of its first month."""
    term = term_at(anchor, period, at)
    amount = share(plan.allowance, 1) if plan.drip else plan.allowance
    subscription = Subscription(
        period=period,
        anchor=anchor,
        ends_at=term.ends_at,
        next_at=_next_share_at(anchor, plan, at, term.ends_at),
        given=amount,
        best=plan.allowance,
        tried=() if before is None else before.tried,
        since_seq=0 if before is None else before.since_seq,
        aside=_other_unfinished_terms(before, period, at),
    )
    return TermStart(subscription, amount)


def begin_or_rejoin_term(before: Subscription | None, plan: Plan, period: Period, *, at: int) -> TermStart:
    """Begin the term of a plan that the account changes to at `at`: resume one of its period, or begin a whole new one.

    A term that has not ended is resumed, also after terms of other periods, a trial or a plan without a period:
    changing plans back and forth gives nothing twice.
    """
    if before is not None:
        for suspended in _unfinished_terms(before, at):
            if suspended.period == period:
                return join_term(_resume_term(before, suspended, at), plan, at=at)
    return begin_term(before, plan, period, anchor=at, at=at)


def join_term(before: Subscription, plan: Plan, *, at: int) -> TermStart:
    """Continue the running term under a plan of the same period, with the prorated rest of its allowance.

    The rest is rounded down. All plans of one term together never give more than the best of them, and with monthly
    shares never more than its months so far: changing plans back and forth gives no later month early.
    """
    term = term_at(before.anchor, before.period, at)
    best = max(before.best, plan.allowance)
    if plan.drip:
        number = _month_number(before, term.starts_at, at)
        month = term_at(before.anchor, "month", at)
        part = share(plan.allowance, number)
        amount = prorated(part, left=month.ends_at - at, whole=month.ends_at - month.starts_at)
        most = best * number // _MONTHS
    else:
        amount = prorated(plan.allowance, left=term.ends_at - at, whole=term.ends_at - term.starts_at)
        most = best
    amount = min(amount, max(0, most - before.given))
    joined = msgspec.structs.replace(
        before,
        ends_at=term.ends_at,
        next_at=_next_share_at(before.anchor, plan, at, term.ends_at),
        given=before.given + amount,
        best=best,
        trial=False,
        next_plan=None,
        cancelled=False,
    )
    return TermStart(joined, amount)


def begin_trial(before: Subscription | None, plan_name: str, plan: Plan, period: Period, *, at: int) -> TermStart:
    """Begin the trial of a plan at `at`."""
    assert plan.trial is not None
    ends_at = min(at + plan.trial.days * DAY, INSTANT_MAX)
    subscription = Subscription(
        period=period,
        anchor=at,
        ends_at=ends_at,
        next_at=ends_at if ends_at > at else None,
        given=plan.trial.allowance,
        best=plan.trial.allowance,
        trial=True,
        tried=(*(() if before is None else before.tried), plan_name),
        aside=() if before is None else _unfinished_terms(before, at),
    )
    return TermStart(subscription, plan.trial.allowance)


def without_term(before: Subscription) -> Subscription:
    """Return the subscription of an account on a plan without a period: no term runs, the last one is remembered."""
    return msgspec.structs.replace(before, next_at=None, next_plan=None, cancelled=False)


def give_allowance(account: Account, priced_by: PricedBy) -> Change:
    """Return the change at the term's next instant: the next share of the allowance, or the begin of the next term."""
    before = account.subscription
    assert before is not None
    assert before.next_at is not None
    at = before.next_at
    plan = priced_by.catalog.plans.get(account.plan)
    if plan is None or plan.period is None:
        return _give_nothing(without_term(before), priced_by, at)
    if at < before.ends_at:
        start = _give_share(before, plan, at)
    else:
        continues = not before.trial and before.period == plan.period and before.anchor < at
        start = (
            begin_term(before, plan, plan.period, anchor=before.anchor, at=at)
            if continues
            else begin_or_rejoin_term(before, plan, plan.period, at=at)
        )
    if start.subscription.next_at is not None and start.subscription.next_at <= at:
        return _give_nothing(without_term(start.subscription), priced_by, at)  # the end of the calendar
    grants, moves = grant_allowance(account, start, account.plan, at)
    return Change(
        kind="allowance",
        at=at,
        allocations=moves,
        detail=Detail(subscription=start.subscription, catalog_version=priced_by.version).giving(*grants),
    )


def grant_allowance(
    account: Account, start: TermStart, plan_name: str, at: int, *, place: int = 0, ending: int = 0
) -> tuple[tuple[GrantTerms, ...], tuple[Allocation, ...]]:
    """Return the grants of what a term gives and carries over, from `place` on, and their movements; none for nothing.

    `ending` is what the same row takes off the total. An allowance never lifts an account over the largest balance.
    """
    promised = account.total - ending + sum(grant.remaining for grant in account.grants if grant.pending)
    amount = min(start.amount, AMOUNT_MAX - promised)
    given = [GrantTerms(amount, "plan", at, start.subscription.ends_at, by_plan=plan_name)] if amount > 0 else []
    for part in start.carried:
        terms = GrantTerms(part.amount, "plan", at, part.expires_at, by_plan=account.plan, counted_in=part.counted_in)
        given.append(terms)
    arrivals = [(next_id(account, at, place + number), terms.amount) for number, terms in enumerate(given)]
    moves = [Allocation(name, "granted", amount) for name, amount in arrivals]
    return tuple(given), (*moves, *repay_debt(account, arrivals))


def expire_or_roll_over(account: Account, grant: Grant, priced_by: PricedBy, at: int) -> Change:
    """Return the change of a grant at its expiry: unheld credits expire, or an allowance rolls over within the cap."""
    subscription = account.subscription
    plan = _find_next_plan(account, priced_by.catalog, at)
    ends_with_term = grant.by_plan is not None and not grant.rolled and grant.counted_in is None
    if subscription is None or plan is None or plan.rollover is None or plan.period is None or not ends_with_term:
        return _expire(grant, at)
    rolled_before = sum(one.remaining for one in account.grants if one.rolled and one.over is None)
    amount = max(0, min(grant.free, plan.rollover.cap - rolled_before))
    if amount == 0:
        return _expire(grant, at)
    anchor = _next_anchor(subscription, plan.period, at)
    last = index_at(anchor, plan.period, at) + plan.rollover.periods
    terms = GrantTerms(
        amount,
        "plan",
        at,
        start_of(anchor, plan.period, last),
        priority=grant.priority,
        by_plan=grant.by_plan,
        rolled=True,
    )
    moves = [Allocation(grant.id, "rolled", -amount)]
    if grant.remaining > amount:
        moves.append(Allocation(grant.id, "expired", amount - grant.free))
    moves.append(Allocation(next_id(account, at), "granted", amount))
    return Change(
        kind="rollover",
        at=at,
        allocations=tuple(moves),
        detail=Detail(about=grant.id, catalog_version=priced_by.version).giving(terms),
    )


def _unfinished_terms(before: Subscription, at: int) -> tuple[SuspendedTerm, ...]:
    """Return the terms that have not ended at `at`, the running one first; a trial cannot be resumed."""
    own = SuspendedTerm(before.period, before.anchor, before.ends_at, before.given, before.best)
    terms = (*(() if before.trial else (own,)), *before.aside)
    return tuple(term for term in terms if at < term.ends_at)


def _next_anchor(before: Subscription, period: Period, at: int) -> int:
    """Return the anchor of the term that begins at `at`: that of the running or a suspended term, or `at` itself."""
    if period == before.period:
        return before.anchor
    return next((term.anchor for term in _unfinished_terms(before, at) if term.period == period), at)


def _other_unfinished_terms(before: Subscription | None, period: Period, at: int) -> tuple[SuspendedTerm, ...]:
    return () if before is None else tuple(term for term in _unfinished_terms(before, at) if term.period != period)


def _resume_term(before: Subscription, suspended: SuspendedTerm, at: int) -> Subscription:
    """Return the subscription with a suspended term as the running one."""
    return Subscription(
        period=suspended.period,
        anchor=suspended.anchor,
        ends_at=suspended.ends_at,
        given=suspended.given,
        best=suspended.best,
        tried=before.tried,
        since_seq=before.since_seq,
        aside=_other_unfinished_terms(before, suspended.period, at),
    )


def _find_next_plan(account: Account, catalog: Catalog, at: int) -> Plan | None:
    """Find the plan under which the next term begins at `at`; None where nothing may roll over into it."""
    subscription = account.subscription
    if subscription is None or subscription.cancelled or subscription.trial:
        return None
    follows = subscription.next_plan if subscription.next_at == at and at >= subscription.ends_at else None
    return catalog.plans.get(follows or account.plan)


def _give_share(before: Subscription, plan: Plan, at: int) -> TermStart:
    """Begin a later month of the running term: with its share of the allowance, if the plan still gives shares."""
    number = _month_number(before, term_at(before.anchor, before.period, at).starts_at, at)
    best = max(before.best, plan.allowance)
    most = best * number // _MONTHS
    amount = min(share(plan.allowance, number), max(0, most - before.given)) if plan.drip else 0
    shared = msgspec.structs.replace(
        before,
        next_at=_next_share_at(before.anchor, plan, at, before.ends_at),
        given=before.given + amount,
        best=best,
    )
    return TermStart(shared, amount)


def _next_share_at(anchor: int, plan: Plan, at: int, ends_at: int) -> int:
    """Return the start of the term's next month, where the plan gives shares, or the term's end."""
    return min(ends_at, term_at(anchor, "month", at).ends_at) if plan.drip else ends_at


def _month_number(subscription: Subscription, starts_at: int, at: int) -> int:
    """Return the number of the month at `at`, from 1, in the year's term that began at `starts_at`."""
    return index_at(subscription.anchor, "month", at) - index_at(subscription.anchor, "month", starts_at) + 1


def _expire(grant: Grant, at: int) -> Change:
    lost = (Allocation(grant.id, "expired", -grant.free),)
    return Change(kind="expire", at=at, allocations=lost, detail=Detail(about=grant.id))


def _give_nothing(subscription: Subscription, priced_by: PricedBy, at: int) -> Change:
    detail = Detail(subscription=subscription, catalog_version=priced_by.version)
    return Change(kind="allowance", at=at, detail=detail)
