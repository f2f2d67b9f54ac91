"""The rules: what a command does to one account at one time. Pure; no I/O, no clock, no randomness, no floats.

A command is a flat ladder of guards, each with its refusal; below the last one it succeeds. Whatever fell due by `now`
happens first, in rows of its own, and stands even when the command is refused.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from sixpence.core import grant as grants
from sixpence.core.account import Account
from sixpence.core.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX
from sixpence.core.catalog import PricedBy
from sixpence.core.commands import ChangePlan, Command, Consume, EnsureAccount, GrantCredits, Key, Tick
from sixpence.core.errors import (
    AccountNotFoundError,
    BalanceLimitError,
    GrantLimitError,
    GrantPeriodError,
    InsufficientCreditsError,
    RefusedError,
    UnknownFeatureError,
    UnknownPlanError,
)
from sixpence.core.fold import Change, next_id, record
from sixpence.core.instant import INSTANT_MAX, to_wire
from sixpence.core.transaction import Allocation, Detail, GrantTerms, Transaction

SIGNUP_KIND = "signup"


class Decision(msgspec.Struct, frozen=True):
    """The account afterwards, the rows to append, the command's own row if it has one, and the refusal if it is one."""

    account: Account
    rows: tuple[Transaction, ...]
    row: Transaction | None = None
    refusal: RefusedError | None = None


def decide(account: Account, command: Command, *, clock: int, priced_by: PricedBy, key: Key | None = None) -> Decision:
    """What the command does when the clock reads `clock` (microseconds); the account that was given is not touched.

    Raises `ValueError` for a clock before 1970 or after the year 9999: a row with such a time could not be shown again.
    """
    if not 0 <= clock <= INSTANT_MAX:
        raise ValueError(f"The clock reads {clock} microseconds, which is outside 1970 to 9999. Set it right.")
    now = max(clock, account.last_at)
    draft = account.copy()
    rows = _fall_due(draft, now, clock)
    if isinstance(command, Tick):
        return Decision(draft, tuple(rows))
    if not draft.exists and not isinstance(command, EnsureAccount):
        return Decision(draft, tuple(rows), refusal=AccountNotFoundError(account.account_id))
    change = _LADDERS[type(command)](draft, command, now, priced_by)
    if isinstance(change, RefusedError):
        return Decision(draft, tuple(rows), refusal=change)
    if change.kind in _CHANGES_NOTHING and change.plan is None and key is None:
        return Decision(draft, tuple(rows))
    if change.kind == SIGNUP_KIND and isinstance(command, EnsureAccount):
        draft.label, draft.metadata = command.label, command.metadata
    row = record(draft, msgspec.structs.replace(change, key=key), recorded_at=clock)
    rows.append(row)
    return Decision(draft, tuple(rows), row=row)


# Accepted without a row of their own, unless a key has to be remembered or the plan really changes.
_CHANGES_NOTHING = frozenset(("ensure", "plan_change"))


def _fall_due(draft: Account, now: int, clock: int) -> list[Transaction]:
    """Everything that time alone has done by `now`, in order, each at the instant it was due (invariant 18)."""
    rows: list[Transaction] = []
    while draft.next_due_at is not None and draft.next_due_at <= now:
        at = draft.next_due_at
        due = [grant for grant in draft.grants if grants.due_at(grant) == at]
        # At one instant grants expire first, then later ones take effect; then by id.
        grant = min(due, key=lambda grant: (grant.pending, grant.id))
        rows.append(record(draft, _took_effect(grant, at) if grant.pending else _expired(grant, at), recorded_at=clock))
    return rows


def _expired(grant: grants.Grant, at: int) -> Change:
    lost = grant.remaining - grant.held
    return Change(kind="expire", at=at, amount=-lost, allocations=(Allocation(grant.id, "expired", -lost),))


def _took_effect(grant: grants.Grant, at: int) -> Change:
    gained = grant.remaining
    return Change(kind="take_effect", at=at, amount=gained, allocations=(Allocation(grant.id, "took_effect", gained),))


def _ensure(draft: Account, command: EnsureAccount, now: int, priced_by: PricedBy) -> Change | RefusedError:
    if draft.exists:
        return Change(kind="ensure", at=now)
    plan = priced_by.catalog.default_plan
    gift = priced_by.catalog.plans[plan].signup_credits
    opening = Detail(catalog_version=priced_by.version)
    if gift == 0:
        return Change(kind="signup", at=now, plan=plan, detail=opening, metadata=command.metadata)
    return Change(
        kind="signup",
        at=now,
        plan=plan,
        amount=gift,
        allocations=(Allocation(next_id(draft, now), "granted", gift),),
        detail=msgspec.structs.replace(opening, grant=GrantTerms(gift, "signup", now)),
        metadata=command.metadata,
    )


def _grant(draft: Account, command: GrantCredits, now: int, priced_by: PricedBy) -> Change | RefusedError:
    effective_at = now if command.effective_at is None else command.effective_at
    unknown = [feature for feature in command.features or () if feature not in priced_by.catalog.features]
    promised = draft.total + sum(grant.remaining for grant in draft.grants if grant.pending)
    if unknown:
        return UnknownFeatureError(unknown[0], tuple(priced_by.catalog.features))
    if command.expires_at is not None and command.expires_at <= now:
        return GrantPeriodError("expires_at", to_wire(command.expires_at), "has passed. Send a time to come, or none")
    if command.expires_at is not None and command.expires_at <= effective_at:
        return GrantPeriodError(
            "expires_at", to_wire(command.expires_at), "is not after effective_at. Send a later time"
        )
    if promised + command.amount > AMOUNT_MAX:
        return BalanceLimitError(command.amount, promised, AMOUNT_MAX)
    if len(draft.grants) >= LIVE_GRANTS_MAX:
        return GrantLimitError(LIVE_GRANTS_MAX)
    pending = effective_at > now
    return Change(
        kind="grant",
        at=now,
        amount=0 if pending else command.amount,
        allocations=(Allocation(next_id(draft, now), "scheduled" if pending else "granted", command.amount),),
        detail=Detail(
            grant=GrantTerms(
                command.amount, command.category, effective_at, command.expires_at, command.priority, command.features
            ),
            actor=command.actor,
            reason=command.reason,
        ),
        metadata=command.metadata,
    )


def _consume(draft: Account, command: Consume, now: int, priced_by: PricedBy) -> Change | RefusedError:
    feature = priced_by.catalog.features.get(command.feature)
    plan = priced_by.catalog.plans.get(draft.plan)
    if feature is None:
        return UnknownFeatureError(command.feature, tuple(priced_by.catalog.features))
    if plan is None:
        return UnknownPlanError(draft.plan, tuple(priced_by.catalog.plans))
    required = 0 if plan.unlimited else feature.credits
    available = grants.available(draft.grants, command.feature)
    if available < required:
        return InsufficientCreditsError(command.feature, required, draft.remaining, available)
    paid = grants.burn_down(draft.grants, command.feature, required)
    return Change(
        kind="consume",
        at=now,
        amount=-required,
        allocations=tuple(Allocation(grant_id, "consumed", -part) for grant_id, part in paid),
        detail=Detail(price=feature.credits, catalog_version=priced_by.version),
        feature_used=command.feature,
        credits_consumed=required,
        generation_id=command.generation_id,
        metadata=command.metadata,
    )


def _change_plan(draft: Account, command: ChangePlan, now: int, priced_by: PricedBy) -> Change | RefusedError:
    if command.plan not in priced_by.catalog.plans:
        return UnknownPlanError(command.plan, tuple(priced_by.catalog.plans))
    return Change(
        kind="plan_change",
        at=now,
        plan=None if command.plan == draft.plan else command.plan,
        detail=Detail(
            previous_plan=draft.plan, catalog_version=priced_by.version, actor=command.actor, reason=command.reason
        ),
        metadata=command.metadata,
    )


_LADDERS: dict[type, Callable[[Account, Any, int, PricedBy], Change | RefusedError]] = {
    EnsureAccount: _ensure,
    GrantCredits: _grant,
    Consume: _consume,
    ChangePlan: _change_plan,
}
