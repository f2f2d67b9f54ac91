"""Terms: what a plan's period gives when it begins, in its course, and what of it is left when it ends.

Everything here happens at an instant of the term's own, under the plan and the catalog of that instant.
"""

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.fold import next_id
from sixpence.core.account.grant import Grant
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Aside, Subscription
from sixpence.core.account.transaction import Detail, GrantTerms
from sixpence.core.catalog.catalog import Catalog, Period, Plan, PricedBy
from sixpence.core.catalog.period import index_at, prorated, share, start_of, term_at
from sixpence.core.rules.context import repaid
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY, INSTANT_MAX

_MONTHS = 12


class Begun(msgspec.Struct, frozen=True):
    """A term, or the share of one, that has begun: the subscription as it is then, and the credits it brings."""

    subscription: Subscription
    amount: int


def begin(before: Subscription | None, plan: Plan, period: Period, *, anchor: int, at: int) -> Begun:
    """The whole term of `plan` that holds `at`: its whole allowance, or the share of its first month."""
    term = term_at(anchor, period, at)
    amount = share(plan.allowance, 1) if plan.drip else plan.allowance
    begun = Subscription(
        period=period,
        anchor=anchor,
        ends_at=term.ends_at,
        next_at=_next_share_at(anchor, plan, at, term.ends_at),
        given=amount,
        best=plan.allowance,
        tried=() if before is None else before.tried,
        since_seq=0 if before is None else before.since_seq,
        aside=_aside_of_others(before, period, at),
    )
    return Begun(begun, amount)


def begin_or_join(before: Subscription | None, plan: Plan, period: Period, *, at: int) -> Begun:
    """The term of a plan that the account goes to at `at`: what is left of one of its period, or a whole new one.

    A term that is not over is taken up again, also when terms of other periods, a trial or a plan without a period came
    in between: going to and fro gives nothing twice.
    """
    if before is not None:
        for aside in _set_aside(before, at):
            if aside.period == period:
                return join(_taken_up(before, aside, at), plan, at=at)
    return begin(before, plan, period, anchor=at, at=at)


def join(before: Subscription, plan: Plan, *, at: int) -> Begun:
    """The rest of the running term under a plan of the same period: what is left of its allowance (rounded down).

    All plans of one term together never give more than the best of them does, and where it gives by the month, never
    more than its months so far: going to and fro brings no later month forward.
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
    return Begun(joined, amount)


def try_out(before: Subscription | None, plan_name: str, plan: Plan, period: Period, *, at: int) -> Begun:
    """The trial of a plan that begins at `at`."""
    assert plan.trial is not None
    ends_at = min(at + plan.trial.days * DAY, INSTANT_MAX)
    begun = Subscription(
        period=period,
        anchor=at,
        ends_at=ends_at,
        next_at=ends_at if ends_at > at else None,
        given=plan.trial.allowance,
        best=plan.trial.allowance,
        trial=True,
        tried=(*(() if before is None else before.tried), plan_name),
        aside=() if before is None else _set_aside(before, at),
    )
    return Begun(begun, plan.trial.allowance)


def rest(before: Subscription) -> Subscription:
    """The subscription of an account that went to a plan without a period: the last term is remembered, no more."""
    return msgspec.structs.replace(before, next_at=None, next_plan=None, cancelled=False)


def allowance(account: Account, priced_by: PricedBy) -> Change:
    """What the plan's term does at its next instant: a share of the running term, or the next term begins."""
    before = account.subscription
    assert before is not None
    assert before.next_at is not None
    at = before.next_at
    plan = priced_by.catalog.plans.get(account.plan)
    if plan is None or plan.period is None:
        return _nothing_comes(rest(before), priced_by, at)
    if at < before.ends_at:
        begun = _share(before, plan, at)
    else:
        goes_on = not before.trial and before.period == plan.period and before.anchor < at
        begun = (
            begin(before, plan, plan.period, anchor=before.anchor, at=at)
            if goes_on
            else begin_or_join(before, plan, plan.period, at=at)
        )
    if begun.subscription.next_at is not None and begun.subscription.next_at <= at:
        return _nothing_comes(rest(begun.subscription), priced_by, at)  # the end of the calendar
    grants, moves = given(account, begun, account.plan, at)
    return Change(
        kind="allowance",
        at=at,
        allocations=moves,
        detail=Detail(subscription=begun.subscription, catalog_version=priced_by.version).giving(*grants),
    )


def given(
    account: Account, begun: Begun, plan_name: str, at: int, *, place: int = 0, ending: int = 0
) -> tuple[tuple[GrantTerms, ...], tuple[Allocation, ...]]:
    """The grant of what a term brings, as the row's one in `place`, and its movements; none where it brings nothing.

    `ending` is what the same row takes off the total. An allowance never lifts an account over the largest balance.
    """
    promised = account.total - ending + sum(grant.remaining for grant in account.grants if grant.pending)
    amount = min(begun.amount, AMOUNT_MAX - promised)
    if amount <= 0:
        return (), ()
    name = next_id(account, at, place)
    terms = GrantTerms(amount, "plan", at, begun.subscription.ends_at, by_plan=plan_name)
    return (terms,), (Allocation(name, "granted", amount), *repaid(account, [(name, amount)]))


def expired_or_rolled(account: Account, grant: Grant, priced_by: PricedBy, at: int) -> Change:
    """What becomes of a grant at its expiry: what is unheld is gone, or an allowance rolls over as far as it may."""
    subscription = account.subscription
    plan = _plan_that_begins(account, priced_by.catalog, at)
    ends_with_term = grant.by_plan is not None and not grant.rolled
    if subscription is None or plan is None or plan.rollover is None or plan.period is None or not ends_with_term:
        return _expired(grant, at)
    rolled_before = sum(one.remaining for one in account.grants if one.rolled and one.over is None)
    amount = max(0, min(grant.free, plan.rollover.cap - rolled_before))
    if amount == 0:
        return _expired(grant, at)
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


def _set_aside(before: Subscription, at: int) -> tuple[Aside, ...]:
    """The terms that are not over at `at`, the running one first; a trial is no term to come back to."""
    own = Aside(before.period, before.anchor, before.ends_at, before.given, before.best)
    terms = (*(() if before.trial else (own,)), *before.aside)
    return tuple(term for term in terms if at < term.ends_at)


def _next_anchor(before: Subscription, period: Period, at: int) -> int:
    """The anchor of the term that begins at `at`: that of the running one, of one that was pushed aside, or `at`."""
    if period == before.period:
        return before.anchor
    return next((term.anchor for term in _set_aside(before, at) if term.period == period), at)


def _aside_of_others(before: Subscription | None, period: Period, at: int) -> tuple[Aside, ...]:
    return () if before is None else tuple(term for term in _set_aside(before, at) if term.period != period)


def _taken_up(before: Subscription, aside: Aside, at: int) -> Subscription:
    """The subscription as it was in a term that was pushed aside."""
    return Subscription(
        period=aside.period,
        anchor=aside.anchor,
        ends_at=aside.ends_at,
        given=aside.given,
        best=aside.best,
        tried=before.tried,
        since_seq=before.since_seq,
        aside=_aside_of_others(before, aside.period, at),
    )


def _plan_that_begins(account: Account, catalog: Catalog, at: int) -> Plan | None:
    """The plan under which the next term begins at `at`, as far as something may roll over into it."""
    subscription = account.subscription
    if subscription is None or subscription.cancelled or subscription.trial:
        return None
    follows = subscription.next_plan if subscription.next_at == at and at >= subscription.ends_at else None
    return catalog.plans.get(follows or account.plan)


def _share(before: Subscription, plan: Plan, at: int) -> Begun:
    """A later month of the running term: its share of the allowance, if the plan still gives shares."""
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
    return Begun(shared, amount)


def _next_share_at(anchor: int, plan: Plan, at: int, ends_at: int) -> int:
    """When the term next does something: its next month, where the plan gives shares, or its end."""
    return min(ends_at, term_at(anchor, "month", at).ends_at) if plan.drip else ends_at


def _month_number(subscription: Subscription, starts_at: int, at: int) -> int:
    """Which month of the year's term that began at `starts_at` it is at `at`, from 1."""
    return index_at(subscription.anchor, "month", at) - index_at(subscription.anchor, "month", starts_at) + 1


def _expired(grant: Grant, at: int) -> Change:
    lost = (Allocation(grant.id, "expired", -grant.free),)
    return Change(kind="expire", at=at, allocations=lost, detail=Detail(about=grant.id))


def _nothing_comes(subscription: Subscription, priced_by: PricedBy, at: int) -> Change:
    detail = Detail(subscription=subscription, catalog_version=priced_by.version)
    return Change(kind="allowance", at=at, detail=detail)
