"""The life of an account: making it with its first credits, freezing, unfreezing and closing it.

Not here: grants (`grants`) and the account's plan (`plans`).
"""

from sixpence.core.account.change import Change
from sixpence.core.account.commands import Close, EnsureAccount, Freeze, Unfreeze
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import Detail, GrantTerms
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import AccountClosedError
from sixpence.core.rules.context import DecisionContext
from sixpence.core.rules.grants import void_moves
from sixpence.core.rules.terms import begin_term, grant_allowance


def ensure(context: DecisionContext, command: EnsureAccount) -> Change | RefusedError:
    """Make the account with its plan's signup credits and first allowance, if it does not exist."""
    account, catalog, now = context.account, context.priced_by.catalog, context.now
    if account.exists:
        return Change(kind="ensure", at=now)
    plan = catalog.plans[catalog.default_plan]
    gift = plan.signup_credits
    terms = (GrantTerms(gift, "signup", now),) if gift else ()
    moves = (Allocation(context.row_id, "granted", gift),) if gift else ()
    start = None if plan.period is None else begin_term(None, plan, plan.period, anchor=now, at=now)
    if start is not None:
        more_terms, more_moves = grant_allowance(
            account, start, catalog.default_plan, now, place=len(terms), ending=-gift
        )
        terms, moves = (*terms, *more_terms), (*moves, *more_moves)
    return Change(
        kind="signup",
        at=now,
        plan=catalog.default_plan,
        allocations=moves,
        detail=Detail(
            subscription=None if start is None else start.subscription, catalog_version=context.priced_by.version
        ).giving(*terms),
        metadata=command.metadata,
    )


def freeze_or_unfreeze(context: DecisionContext, command: Freeze | Unfreeze) -> Change | RefusedError:
    """Stop spending and new holds, or allow them again."""
    account = context.account
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    return Change(
        kind="freeze" if isinstance(command, Freeze) else "unfreeze",
        at=context.now,
        detail=Detail(actor=command.actor, reason=command.reason),
        metadata=command.metadata,
    )


def close(context: DecisionContext, command: Close) -> Change | RefusedError:
    """Void all unheld credits; open holds end as usual, and give nothing back."""
    moves = [move for grant in context.account.grants for move in void_moves(grant)]
    return Change(
        kind="close",
        at=context.now,
        allocations=tuple(moves),
        detail=Detail(actor=command.actor, reason=command.reason),
        metadata=command.metadata,
    )
