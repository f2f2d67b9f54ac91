"""The decision: what a command does to one account at one time. Pure; no I/O, no clock, no randomness, no floats.

Changes that are due by `now` come first, in rows of their own, and remain even when the command is refused. Not here:
what each command does. The dispatch table names its function: a flat ladder of guards, each with its refusal; below the
last guard the command succeeds.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.commands import (
    Adjust,
    CancelPlan,
    CaptureHold,
    ChangePlan,
    Close,
    Command,
    Consume,
    EnsureAccount,
    ExtendHold,
    Freeze,
    GrantCredits,
    Key,
    PlaceHold,
    Refund,
    ReleaseHold,
    Tick,
    Unfreeze,
    VoidGrant,
)
from sixpence.core.account.fold import record
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.rules import consume, due, grants, holds, lifecycle, plans, refunds, versions
from sixpence.core.rules.context import DecisionContext
from sixpence.core.values.instant import INSTANT_MAX

NO_PRIOR = PriorTransactions()


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The account afterwards, the rows to append, the command's own row if it wrote one, and the refusal if refused."""

    account: Account
    rows: tuple[Transaction, ...]
    row: Transaction | None = None
    refusal: RefusedError | None = None


def decide(
    account: Account,
    command: Command,
    *,
    clock: int,
    priced_by: PricedBy,
    key: Key | None = None,
    prior: PriorTransactions = NO_PRIOR,
    rules: int = versions.CURRENT,
) -> Decision:
    """Decide what the command does when the clock reads `clock` (microseconds); the given account is not changed.

    `prior` has the earlier transactions that a refund or a void names, and the later ones about those. `rules` is
    the version of the rules, an earlier one only in a replay. Raises
    `ValueError` for a clock before 1970 or after the year 9999: a row with such a time could not be shown.
    """
    if not 0 <= clock <= INSTANT_MAX:
        raise ValueError(f"The clock reads {clock} microseconds, which is outside 1970 to 9999. Set it right.")
    now = max(clock, account.last_at)
    draft = account.copy()
    rows = _apply_due_changes(draft, now, clock, priced_by)
    if isinstance(command, Tick):
        return Decision(draft, tuple(rows))
    if not draft.exists and not isinstance(command, EnsureAccount):
        return Decision(draft, tuple(rows), refusal=AccountNotFoundError(account.account_id))
    context = DecisionContext(draft, now, priced_by, prior.with_rows(rows) if rows else prior, rules)
    change = _DISPATCH[type(command)](context, command)
    if isinstance(change, RefusedError):
        return Decision(draft, tuple(rows), refusal=change)
    if key is None and _changes_nothing(draft, change):
        return Decision(draft, tuple(rows))
    if change.kind == "signup" and isinstance(command, EnsureAccount):
        draft.label, draft.metadata = command.label, command.metadata
    row = record(draft, msgspec.structs.replace(change, key=key), recorded_at=clock)
    rows.append(row)
    return Decision(draft, tuple(rows), row=row)


def _apply_due_changes(draft: Account, now: int, clock: int, priced_by: PricedBy) -> list[Transaction]:
    """Apply every change that is due by `now`, in order, each at the instant it was due (invariant 18)."""
    rows: list[Transaction] = []
    while draft.next_due_at is not None and draft.next_due_at <= now:
        rows.append(record(draft, due.next_change(draft, draft.next_due_at, priced_by), recorded_at=clock))
    return rows


def _changes_nothing(account: Account, change: Change) -> bool:
    """Whether the account is already as the change wants it: such a command writes a row only to store its key."""
    match change.kind:
        case "ensure":
            return True
        case "plan_change":
            return change.plan is None and change.detail.subscription is None
        case "freeze":
            return account.standing == "frozen"
        case "unfreeze":
            return account.standing == "open"
        case "close":
            return account.standing == "closed"
        case _:
            return False


_DISPATCH: dict[type, Callable[[DecisionContext, Any], Change | RefusedError]] = {
    EnsureAccount: lifecycle.ensure,
    GrantCredits: grants.grant,
    VoidGrant: grants.void,
    Adjust: grants.adjust,
    Consume: consume.consume,
    PlaceHold: holds.place,
    ExtendHold: holds.extend,
    CaptureHold: holds.capture,
    ReleaseHold: holds.release,
    Refund: refunds.refund,
    ChangePlan: plans.change_plan,
    CancelPlan: plans.cancel_plan,
    Freeze: lifecycle.freeze_or_unfreeze,
    Unfreeze: lifecycle.freeze_or_unfreeze,
    Close: lifecycle.close,
}
