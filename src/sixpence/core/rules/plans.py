"""Plans: putting an account on one, trying it, cancelling it, and the change that waits for the term's end."""

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
from sixpence.core.rules.context import Scene
from sixpence.core.rules.terms import Begun, begin_or_join, given, rest, try_out


def change_plan(scene: Scene, command: ChangePlan) -> Change | RefusedError:
    """Put the account on a plan: a higher one at once, another at the end of the running term."""
    account, plans = scene.account, scene.priced_by.catalog.plans
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    plan = plans.get(command.plan)
    if plan is None:
        return UnknownPlanError(command.plan, tuple(plans))
    if command.trial:
        reason = _why_no_trial(scene, command.plan, plan)
        return TrialRefusedError(command.plan, reason) if reason else _at_once(scene, command, command.plan, plan)
    subscription = account.subscription
    if command.plan == account.plan and _can_begin(subscription, plan):
        return _at_once(scene, command, command.plan, plan)
    if command.plan == account.plan:
        clears = subscription is not None and subscription.waiting
        return _noted(scene, command, _waiting(subscription) if clears else None)
    if _is_at_once(scene, plan):
        return _at_once(scene, command, command.plan, plan)
    return _noted(scene, command, _waiting(subscription, next_plan=command.plan))


def cancel_plan(scene: Scene, command: CancelPlan) -> Change | RefusedError:
    """Let the running term be the plan's last; without one the account falls to the default plan at once."""
    account, catalog = scene.account, scene.priced_by.catalog
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    subscription = account.subscription
    running = subscription is not None and subscription.running
    if account.plan == catalog.default_plan and not (subscription is not None and subscription.waiting):
        return _noted(scene, command, None)
    if running:
        return _noted(scene, command, _waiting(subscription, cancelled=True))
    return _at_once(scene, command, catalog.default_plan, catalog.plans[catalog.default_plan])


def change_that_waited(account: Account, priced_by: PricedBy) -> Change:
    """At the end of its term the account goes to the plan that waits, or to the default one; the allowance follows."""
    before = account.subscription
    assert before is not None
    catalog, at = priced_by.catalog, before.ends_at
    name = before.next_plan if before.next_plan in catalog.plans else None
    name = catalog.default_plan if name is None or before.cancelled else name
    plan = catalog.plans[name]
    keeps = plan.rollover is not None and plan.period is not None and not before.cancelled
    ending = _trimmed(account, plan) if keeps else _ended(account)
    after = msgspec.structs.replace(
        before,
        next_plan=None,
        cancelled=False,
        trial=False,
        since_seq=before.since_seq if keeps else account.seq + 1,
    )
    if plan.period is None:
        after = rest(after)
    elif plan.period != before.period or before.trial:
        after = msgspec.structs.replace(after, period=plan.period, anchor=at)
    return Change(
        kind="plan_change",
        at=at,
        plan=name,
        allocations=ending,
        detail=Detail(previous_plan=account.plan, subscription=after, catalog_version=priced_by.version),
    )


def _why_no_trial(scene: Scene, name: str, plan: Plan) -> str | None:
    subscription = scene.account.subscription
    if plan.trial is None or plan.period is None:
        return "has no trial"
    if subscription is not None and name in subscription.tried:
        return "was tried on this account before"
    if name == scene.account.plan:
        return "is the account's plan already"
    return None if _is_at_once(scene, plan) else "is not above the account's plan"


def _can_begin(subscription: Subscription | None, plan: Plan) -> bool:
    """Whether a term of the plan that the account is on can begin: a trial runs, or none does though there could be."""
    running = subscription is not None and subscription.running
    if subscription is not None and running:
        return subscription.trial
    return plan.period is not None


def _is_at_once(scene: Scene, plan: Plan) -> bool:
    subscription = scene.account.subscription
    return scene.plan is None or subscription is None or not subscription.running or plan.rank > scene.plan.rank


def _at_once(scene: Scene, command: ChangePlan | CancelPlan, name: str, plan: Plan) -> Change:
    """The old plan's unheld credits end, and the new plan's come, in one row."""
    account = scene.account
    begun = _begun(scene, name, plan, trial=isinstance(command, ChangePlan) and command.trial)
    ending = _ended(account)
    after = None if begun is None else msgspec.structs.replace(begun.subscription, since_seq=account.seq + 1)
    ended = -sum(move.amount for move in ending)
    grants, moves = ((), ()) if begun is None else given(account, begun, name, scene.now, ending=ended)
    return Change(
        kind="plan_change",
        at=scene.now,
        plan=None if name == account.plan else name,
        allocations=(*ending, *moves),
        detail=_detail(scene, command, subscription=after).giving(*grants),
        metadata=command.metadata,
    )


def _begun(scene: Scene, name: str, plan: Plan, *, trial: bool) -> Begun | None:
    before, now = scene.account.subscription, scene.now
    if plan.period is None:
        return None if before is None else Begun(rest(before), 0)
    if trial:
        return try_out(before, name, plan, plan.period, at=now)
    return begin_or_join(before, plan, plan.period, at=now)


def _ended(account: Account) -> tuple[Allocation, ...]:
    """All that the plan gave and nothing has set aside."""
    of_plan = [grant for grant in account.grants if grant.by_plan is not None and grant.over is None]
    return tuple(Allocation(grant.id, "expired", -grant.free) for grant in of_plan)


def _trimmed(account: Account, plan: Plan) -> tuple[Allocation, ...]:
    """What was rolled over before and is more than the new plan lets stay."""
    assert plan.rollover is not None
    room, moves = plan.rollover.cap, []
    for grant in account.grants:
        if grant.rolled and grant.over is None:
            excess = min(grant.free, max(0, grant.remaining - room))
            room = max(0, room - grant.remaining)
            if excess:
                moves.append(Allocation(grant.id, "trimmed", -excess))
    return tuple(moves)


def _waiting(
    subscription: Subscription | None, *, next_plan: str | None = None, cancelled: bool = False
) -> Subscription:
    """The subscription with another change that waits for its end, or none."""
    assert subscription is not None
    return msgspec.structs.replace(subscription, next_plan=next_plan, cancelled=cancelled)


def _noted(scene: Scene, command: ChangePlan | CancelPlan, subscription: Subscription | None) -> Change:
    """The plan stays for now; what waits for the term's end is written down, if it is new."""
    before = scene.account.subscription
    return Change(
        kind="plan_change",
        at=scene.now,
        detail=_detail(scene, command, subscription=None if subscription == before else subscription),
        metadata=command.metadata,
    )


def _detail(scene: Scene, command: ChangePlan | CancelPlan, **facts: object) -> Detail:
    known = Detail(
        previous_plan=scene.account.plan,
        catalog_version=scene.priced_by.version,
        actor=command.actor,
        reason=command.reason,
    )
    return msgspec.structs.replace(known, **facts)
