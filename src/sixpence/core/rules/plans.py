"""Plans: changing, trying and cancelling a plan, and the change that waits for the term's end.

Not here: what a term gives (`terms`).
"""

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.commands import CancelPlan, ChangePlan
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import Detail
from sixpence.core.catalog.catalog import Plan, PricedBy
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import AccountClosedError, TrialRefusedError, UnknownPlanError
from sixpence.core.rules import versions
from sixpence.core.rules.context import DecisionContext
from sixpence.core.rules.terms import TermStart, begin_or_rejoin_term, begin_trial, grant_allowance, without_term
from sixpence.core.rules.unspent import Unspent, carry_over, count, find_unspent, uncount


def change_plan(context: DecisionContext, command: ChangePlan) -> Change | RefusedError:
    """Put the account on a plan: a higher one at once, another at the end of the running term."""
    account, plans = context.account, context.priced_by.catalog.plans
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    plan = plans.get(command.plan)
    if plan is None:
        return UnknownPlanError(command.plan, tuple(plans))
    if command.trial:
        reason = _why_no_trial(context, command.plan, plan)
        return TrialRefusedError(command.plan, reason) if reason else _change_now(context, command, command.plan, plan)
    subscription = account.subscription
    if command.plan == account.plan and _can_begin(subscription, plan):
        return _change_now(context, command, command.plan, plan)
    if command.plan == account.plan:
        clears = subscription is not None and subscription.waiting
        return _note_change(context, command, _with_waiting_change(subscription) if clears else None)
    if _is_immediate(context, plan):
        return _change_now(context, command, command.plan, plan)
    return _note_change(context, command, _with_waiting_change(subscription, next_plan=command.plan))


def cancel_plan(context: DecisionContext, command: CancelPlan) -> Change | RefusedError:
    """End the plan at the end of the running term; without one the account has the default plan at once."""
    account, catalog = context.account, context.priced_by.catalog
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    subscription = account.subscription
    running = subscription is not None and subscription.running
    if account.plan == catalog.default_plan and not (subscription is not None and subscription.waiting):
        return _note_change(context, command, None)
    if running:
        return _note_change(context, command, _with_waiting_change(subscription, cancelled=True))
    return _change_now(context, command, catalog.default_plan, catalog.plans[catalog.default_plan])


def make_waiting_change(account: Account, priced_by: PricedBy) -> Change:
    """Return the change at the end of a term to the waiting plan, or to the default plan; the allowance follows."""
    before = account.subscription
    assert before is not None
    catalog, at = priced_by.catalog, before.ends_at
    name = before.next_plan if before.next_plan in catalog.plans else None
    name = catalog.default_plan if name is None or before.cancelled else name
    plan = catalog.plans[name]
    keeps = plan.rollover is not None and plan.period is not None and not before.cancelled
    ending = _trim_rollover(account, plan) if keeps else _end_plan_credits(account)
    unspent = () if keeps else find_unspent(account)
    after = msgspec.structs.replace(
        uncount(before, unspent),
        next_plan=None,
        cancelled=False,
        trial=False,
        since_seq=before.since_seq if keeps else account.seq + 1,
    )
    if plan.period is None:
        after = without_term(after)
    elif plan.period != before.period or before.trial:
        after = msgspec.structs.replace(after, period=plan.period, anchor=at)
    return Change(
        kind="plan_change",
        at=at,
        plan=name,
        allocations=ending,
        detail=Detail(
            previous_plan=account.plan,
            subscription=after,
            catalog_version=priced_by.version,
            rules=_rules_of(unspent),
        ),
    )


def _why_no_trial(context: DecisionContext, name: str, plan: Plan) -> str | None:
    subscription = context.account.subscription
    if plan.trial is None or plan.period is None:
        return "has no trial"
    if subscription is not None and name in subscription.tried:
        return "was tried on this account before"
    if name == context.account.plan:
        return "is the account's plan already"
    return None if _is_immediate(context, plan) else "is not above the account's plan"


def _can_begin(subscription: Subscription | None, plan: Plan) -> bool:
    """Whether a term of the account's own plan can begin now: a trial runs, or none runs and the plan has a period."""
    running = subscription is not None and subscription.running
    if subscription is not None and running:
        return subscription.trial
    return plan.period is not None


def _is_immediate(context: DecisionContext, plan: Plan) -> bool:
    subscription = context.account.subscription
    return context.plan is None or subscription is None or not subscription.running or plan.rank > context.plan.rank


def _change_now(context: DecisionContext, command: ChangePlan | CancelPlan, name: str, plan: Plan) -> Change:
    """End the old plan's unheld credits and give the new plan's, in one row; an upgrade never lowers the balance."""
    account = context.account
    unspent = find_unspent(account) if context.rules >= versions.UNSPENT_CREDITS_RETURN else ()
    before = account.subscription if account.subscription is None else uncount(account.subscription, unspent)
    trial = isinstance(command, ChangePlan) and command.trial
    start = _begin(before, name, plan, trial=trial, now=context.now)
    if start is not None and plan.period is not None and not trial:
        carried = carry_over(unspent, start.amount)
        start = TermStart(count(start.subscription, carried), start.amount, carried)
    ending = _end_plan_credits(account)
    after = None if start is None else msgspec.structs.replace(start.subscription, since_seq=account.seq + 1)
    ended = -sum(move.amount for move in ending)
    grants, moves = ((), ()) if start is None else grant_allowance(account, start, name, context.now, ending=ended)
    return Change(
        kind="plan_change",
        at=context.now,
        plan=None if name == account.plan else name,
        allocations=(*ending, *moves),
        detail=_detail(context, command, subscription=after, rules=_rules_of(unspent)).giving(*grants),
        metadata=command.metadata,
    )


def _rules_of(unspent: tuple[Unspent, ...]) -> int:
    """Return the version of the rules that a row names which ends these credits."""
    return versions.UNSPENT_CREDITS_RETURN if unspent else 1


def _begin(before: Subscription | None, name: str, plan: Plan, *, trial: bool, now: int) -> TermStart | None:
    if plan.period is None:
        return None if before is None else TermStart(without_term(before), 0)
    if trial:
        return begin_trial(before, name, plan, plan.period, at=now)
    return begin_or_rejoin_term(before, plan, plan.period, at=now)


def _end_plan_credits(account: Account) -> tuple[Allocation, ...]:
    """End all unheld credits that plans gave."""
    of_plan = [grant for grant in account.grants if grant.by_plan is not None and grant.over is None]
    return tuple(Allocation(grant.id, "expired", -grant.free) for grant in of_plan)


def _trim_rollover(account: Account, plan: Plan) -> tuple[Allocation, ...]:
    """End the rolled-over credits above the new plan's cap."""
    assert plan.rollover is not None
    room, moves = plan.rollover.cap, []
    for grant in account.grants:
        if grant.rolled and grant.over is None:
            excess = min(grant.free, max(0, grant.remaining - room))
            room = max(0, room - grant.remaining)
            if excess:
                moves.append(Allocation(grant.id, "trimmed", -excess))
    return tuple(moves)


def _with_waiting_change(
    subscription: Subscription | None, *, next_plan: str | None = None, cancelled: bool = False
) -> Subscription:
    """Return the subscription with this change, or none, waiting for its end."""
    assert subscription is not None
    return msgspec.structs.replace(subscription, next_plan=next_plan, cancelled=cancelled)


def _note_change(
    context: DecisionContext, command: ChangePlan | CancelPlan, subscription: Subscription | None
) -> Change:
    """Keep the plan for now; the row records the change that waits for the term's end, if it is new."""
    before = context.account.subscription
    return Change(
        kind="plan_change",
        at=context.now,
        detail=_detail(context, command, subscription=None if subscription == before else subscription),
        metadata=command.metadata,
    )


def _detail(context: DecisionContext, command: ChangePlan | CancelPlan, **facts: object) -> Detail:
    known = Detail(
        previous_plan=context.account.plan,
        catalog_version=context.priced_by.version,
        actor=command.actor,
        reason=command.reason,
    )
    return msgspec.structs.replace(known, **facts)
