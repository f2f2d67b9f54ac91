"""Grants: giving credits by a command, voiding a grant, and correcting the balance.

Not here: signup credits (`lifecycle`), allowances (`terms`) and refunds (`refunds`).
"""

from collections import Counter

from sixpence.core.account import grant as grants
from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.commands import Adjust, GrantCredits, VoidGrant
from sixpence.core.account.grant import Grant
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Detail, GrantTerms, grant_id, seq_of
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import (
    AccountClosedError,
    AdjustLimitError,
    BalanceLimitError,
    GrantEndedError,
    GrantLimitError,
    GrantNotFoundError,
    GrantPeriodError,
    UnknownFeatureError,
)
from sixpence.core.rules.context import DecisionContext, repay_debt
from sixpence.core.values.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX
from sixpence.core.values.instant import to_wire

# The movements that spend from a grant, and those that give back what was spent.
_SPENDING = frozenset(("consumed", "captured", "repaid", "refunded"))


def grant(context: DecisionContext, command: GrantCredits) -> Change | RefusedError:
    """Give credits, now or from a later time on."""
    account, now = context.account, context.now
    effective_at = now if command.effective_at is None else command.effective_at
    features = context.priced_by.catalog.features
    unknown = [feature for feature in command.features or () if feature not in features]
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    if unknown:
        return UnknownFeatureError(unknown[0], tuple(features))
    if command.expires_at is not None and command.expires_at <= now:
        return GrantPeriodError("expires_at", to_wire(command.expires_at), "has passed. Send a time to come, or none")
    if command.expires_at is not None and command.expires_at <= effective_at:
        return GrantPeriodError(
            "expires_at", to_wire(command.expires_at), "is not after effective_at. Send a later time"
        )
    full = _check_room(account, command.amount)
    if full is not None:
        return full
    terms = GrantTerms(
        command.amount, command.category, effective_at, command.expires_at, command.priority, command.features
    )
    return Change(
        kind="grant",
        at=now,
        allocations=_arrival_moves(context, terms),
        detail=Detail(actor=command.actor, reason=command.reason).giving(terms),
        metadata=command.metadata,
    )


def take_effect(account: Account, arrived: Grant, at: int) -> Change:
    """Return the change of a scheduled grant at its effective time."""
    gained = arrived.remaining
    paying = [(arrived.id, gained)] if arrived.features is None else []
    moves = (Allocation(arrived.id, "took_effect", gained), *repay_debt(account, paying))
    return Change(kind="take_effect", at=at, allocations=moves)


def adjust(context: DecisionContext, command: Adjust) -> Change | RefusedError:
    """Correct the balance: up by a grant, down from unheld credits."""
    account = context.account
    detail = Detail(actor=command.actor, reason=command.reason)
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    if command.amount < 0:
        available = sum(one.free for one in account.grants)
        if available < -command.amount:
            return AdjustLimitError(command.amount, available)
        taken = grants.take_in_order(((one.id, one.free) for one in account.grants), -command.amount)
        moves = tuple(Allocation(name, "adjusted", -part) for name, part in taken)
        return Change(kind="adjust", at=context.now, allocations=moves, detail=detail, metadata=command.metadata)
    full = _check_room(account, command.amount)
    if full is not None:
        return full
    terms = GrantTerms(command.amount, "admin", context.now)
    return Change(
        kind="adjust",
        at=context.now,
        allocations=_arrival_moves(context, terms),
        detail=detail.giving(terms),
        metadata=command.metadata,
    )


def void(context: DecisionContext, command: VoidGrant) -> Change | RefusedError:
    """Cancel what remains of a grant; with `revoke_spent` what was spent becomes a debt, as far as the plan allows."""
    account = context.account
    live = next((one for one in account.grants if one.id == command.grant_id), None)
    terms = terms_of(context.prior, command.grant_id)
    if terms is None:
        return GrantNotFoundError(account.account_id, command.grant_id)
    if any(was_voided(context.prior, name) for name in (command.grant_id, terms.instead_of) if name is not None):
        return GrantEndedError(command.grant_id)
    spent = _sum_spent(context.prior, command.grant_id) if command.revoke_spent else 0
    # An allowance is never owed, nor anything on a closed account; the row still says what was spent of it.
    owing = spent if account.standing != "closed" and terms.by_plan is None else 0
    # The debt never exceeds what was used and not refunded: a debt that this grant paid may have been refunded since.
    used = account.total - account.remaining - account.held
    debt = min(owing, context.overdraft_left, max(0, used - account.owed))
    replacing = [one for one in account.grants if one.instead_of == command.grant_id]
    moves = tuple(move for one in (*([live] if live is not None else []), *replacing) for move in void_moves(one))
    if debt:
        moves = (*moves, Allocation(OVERDRAFT, "charged_back", -debt))
    return Change(
        kind="void",
        at=context.now,
        allocations=moves,
        detail=Detail(
            about=command.grant_id,
            shortfall=spent - debt if command.revoke_spent else None,
            catalog_version=context.priced_by.version,
            actor=command.actor,
            reason=command.reason,
        ),
        metadata=command.metadata,
    )


def void_moves(live: Grant) -> tuple[Allocation, ...]:
    """Return the movements that void a live grant; what is held of it stays until its hold ends."""
    if live.pending:
        return (Allocation(live.id, "unscheduled", -live.remaining),)
    return (Allocation(live.id, "voided", live.held - live.remaining),) if live.over != "voided" else ()


def terms_of(prior: PriorTransactions, name: str) -> GrantTerms | None:
    """Return the terms of a grant that a loaded transaction made; None for an unknown id."""
    seq = seq_of(name)
    row = None if seq is None else prior.rows.get(seq)
    made = () if row is None else row.read_detail().grants
    by_id = {} if row is None else {grant_id(row.id, place): terms for place, terms in enumerate(made)}
    return by_id.get(name)


def was_voided(prior: PriorTransactions, name: str) -> bool:
    """Whether a command voided the grant, even when nothing was left of it."""
    return any(row.kind == "void" and row.read_detail().about == name for row in prior.about(seq_of(name) or 0))


def _sum_spent(prior: PriorTransactions, name: str) -> int:
    """Return how much of a grant was spent and did not come back, the grants that replace it included."""
    net: Counter[str] = Counter()
    replacing: dict[str, int] = {}
    for row in prior.rows.values():
        made = {grant_id(row.id, place): terms for place, terms in enumerate(row.read_detail().grants)}
        replacing |= {one: terms.amount for one, terms in made.items() if terms.instead_of == name}
        for move in row.read_allocations():
            # A refund into a grant that it made itself gives nothing back to that grant.
            if move.movement in _SPENDING and not (move.movement == "refunded" and move.grant_id in made):
                net[move.grant_id] -= move.amount
    # The credits of a replacing grant came back from this one; what it then spent was spent after all. A replacing
    # grant that was voided on its own is settled already.
    came_back = sum(replacing.values())
    spent = net[name] - came_back + sum(net[one] for one in replacing if not was_voided(prior, one))
    # Credits that came back into a grant voided on its own were settled with it, so the sum may be negative.
    return max(0, spent)


def _arrival_moves(context: DecisionContext, terms: GrantTerms) -> tuple[Allocation, ...]:
    name = context.row_id
    if terms.effective_at > context.now:
        return (Allocation(name, "scheduled", terms.amount),)
    paying = [(name, terms.amount)] if terms.features is None else []
    return (Allocation(name, "granted", terms.amount), *repay_debt(context.account, paying))


def _check_room(account: Account, amount: int) -> RefusedError | None:
    promised = account.total + sum(one.remaining for one in account.grants if one.pending)
    if promised + amount > AMOUNT_MAX:
        return BalanceLimitError(amount, promised, AMOUNT_MAX)
    return GrantLimitError(LIVE_GRANTS_MAX) if len(account.grants) >= LIVE_GRANTS_MAX else None
