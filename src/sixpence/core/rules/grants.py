"""Credits that come by a command, and their end by one: the account's first, grants, voids and corrections."""

from collections import Counter

from sixpence.core.account import grant as grants
from sixpence.core.account.account import Account
from sixpence.core.account.change import Change
from sixpence.core.account.commands import Adjust, EnsureAccount, GrantCredits, VoidGrant
from sixpence.core.account.grant import Grant
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.prior_transactions import Past
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
from sixpence.core.rules.context import Scene, repaid
from sixpence.core.rules.terms import begin, given
from sixpence.core.values.bounds import AMOUNT_MAX, LIVE_GRANTS_MAX
from sixpence.core.values.instant import to_wire

# What takes from a grant because something was used, and what brings that back.
_SPENDING = frozenset(("consumed", "captured", "repaid", "refunded"))


def ensure(scene: Scene, command: EnsureAccount) -> Change | RefusedError:
    """Make the account with its plan's signup credits and first allowance, if it is not there."""
    account, catalog, now = scene.account, scene.priced_by.catalog, scene.now
    if account.exists:
        return Change(kind="ensure", at=now)
    plan = catalog.plans[catalog.default_plan]
    gift = plan.signup_credits
    terms = (GrantTerms(gift, "signup", now),) if gift else ()
    moves = (Allocation(scene.row_id, "granted", gift),) if gift else ()
    begun = None if plan.period is None else begin(None, plan, plan.period, anchor=now, at=now)
    if begun is not None:
        more_terms, more_moves = given(account, begun, catalog.default_plan, now, place=len(terms), ending=-gift)
        terms, moves = (*terms, *more_terms), (*moves, *more_moves)
    return Change(
        kind="signup",
        at=now,
        plan=catalog.default_plan,
        allocations=moves,
        detail=Detail(
            subscription=None if begun is None else begun.subscription, catalog_version=scene.priced_by.version
        ).giving(*terms),
        metadata=command.metadata,
    )


def grant(scene: Scene, command: GrantCredits) -> Change | RefusedError:
    """Give credits, now or from a later time on."""
    account, now = scene.account, scene.now
    effective_at = now if command.effective_at is None else command.effective_at
    features = scene.priced_by.catalog.features
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
    full = _no_room(account, command.amount)
    if full is not None:
        return full
    terms = GrantTerms(
        command.amount, command.category, effective_at, command.expires_at, command.priority, command.features
    )
    return Change(
        kind="grant",
        at=now,
        allocations=_arriving(scene, terms),
        detail=Detail(actor=command.actor, reason=command.reason).giving(terms),
        metadata=command.metadata,
    )


def took_effect(account: Account, arrived: Grant, at: int) -> Change:
    """A grant's effective time has come."""
    gained = arrived.remaining
    paying = [(arrived.id, gained)] if arrived.features is None else []
    moves = (Allocation(arrived.id, "took_effect", gained), *repaid(account, paying))
    return Change(kind="take_effect", at=at, allocations=moves)


def adjust(scene: Scene, command: Adjust) -> Change | RefusedError:
    """Correct the balance: up by a grant, down from what nothing has set aside."""
    account = scene.account
    detail = Detail(actor=command.actor, reason=command.reason)
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    if command.amount < 0:
        available = sum(one.free for one in account.grants)
        if available < -command.amount:
            return AdjustLimitError(command.amount, available)
        taken = grants.taken_from(((one.id, one.free) for one in account.grants), -command.amount)
        moves = tuple(Allocation(name, "adjusted", -part) for name, part in taken)
        return Change(kind="adjust", at=scene.now, allocations=moves, detail=detail, metadata=command.metadata)
    full = _no_room(account, command.amount)
    if full is not None:
        return full
    terms = GrantTerms(command.amount, "admin", scene.now)
    return Change(
        kind="adjust",
        at=scene.now,
        allocations=_arriving(scene, terms),
        detail=detail.giving(terms),
        metadata=command.metadata,
    )


def void(scene: Scene, command: VoidGrant) -> Change | RefusedError:
    """Cancel what remains of a grant; revoked, it leaves a debt for what was spent, as far as the plan allows."""
    account = scene.account
    live = next((one for one in account.grants if one.id == command.grant_id), None)
    terms = terms_of(scene.past, command.grant_id)
    if terms is None:
        return GrantNotFoundError(account.account_id, command.grant_id)
    if any(was_voided(scene.past, name) for name in (command.grant_id, terms.instead_of) if name is not None):
        return GrantEndedError(command.grant_id)
    spent = _spent(scene.past, command.grant_id) if command.revoke_spent else 0
    # An allowance is never owed, nor anything on a closed account: the answer says what was spent of it all the same.
    owing = spent if account.standing != "closed" and terms.by_plan is None else 0
    # Nobody owes more than was used and not refunded: a debt that this grant paid may have been refunded since.
    used = account.total - account.remaining - account.held
    debt = min(owing, scene.overdraft_left, max(0, used - account.owed))
    standing_in = [one for one in account.grants if one.instead_of == command.grant_id]
    moves = tuple(move for one in (*([live] if live is not None else []), *standing_in) for move in voided(one))
    if debt:
        moves = (*moves, Allocation(OVERDRAFT, "charged_back", -debt))
    return Change(
        kind="void",
        at=scene.now,
        allocations=moves,
        detail=Detail(
            about=command.grant_id,
            shortfall=spent - debt if command.revoke_spent else None,
            catalog_version=scene.priced_by.version,
            actor=command.actor,
            reason=command.reason,
        ),
        metadata=command.metadata,
    )


def voided(live: Grant) -> tuple[Allocation, ...]:
    """The movements that void a live grant; what is held of it stays until its hold ends."""
    if live.pending:
        return (Allocation(live.id, "unscheduled", -live.remaining),)
    return (Allocation(live.id, "voided", live.held - live.remaining),) if live.over != "voided" else ()


def terms_of(past: Past, name: str) -> GrantTerms | None:
    """The terms of a grant that a loaded transaction made, None where there is none of this id."""
    seq = seq_of(name)
    row = None if seq is None else past.rows.get(seq)
    made = () if row is None else row.read_detail().grants
    by_id = {} if row is None else {grant_id(row.id, place): terms for place, terms in enumerate(made)}
    return by_id.get(name)


def was_voided(past: Past, name: str) -> bool:
    """Whether the grant was voided by a command, whatever was left of it then."""
    return any(row.kind == "void" and row.read_detail().about == name for row in past.about(seq_of(name) or 0))


def _spent(past: Past, name: str) -> int:
    """How much of a grant was spent and did not come back: of its own credits, and of the grants that stand for it."""
    net: Counter[str] = Counter()
    standing_in: dict[str, int] = {}
    for row in past.rows.values():
        made = {grant_id(row.id, place): terms for place, terms in enumerate(row.read_detail().grants)}
        standing_in |= {one: terms.amount for one, terms in made.items() if terms.instead_of == name}
        for move in row.read_allocations():
            # What a refund gave the grant that it made is not given back to that grant.
            if move.movement in _SPENDING and not (move.movement == "refunded" and move.grant_id in made):
                net[move.grant_id] -= move.amount
    # What made a grant that stands for this one came back from it; what that grant then spent was spent after all,
    # but for one that was voided by itself: that has settled it.
    came_back = sum(standing_in.values())
    spent = net[name] - came_back + sum(net[one] for one in standing_in if not was_voided(past, one))
    # What came back of one that was voided by itself has been settled with it.
    return max(0, spent)


def _arriving(scene: Scene, terms: GrantTerms) -> tuple[Allocation, ...]:
    name = scene.row_id
    if terms.effective_at > scene.now:
        return (Allocation(name, "scheduled", terms.amount),)
    paying = [(name, terms.amount)] if terms.features is None else []
    return (Allocation(name, "granted", terms.amount), *repaid(scene.account, paying))


def _no_room(account: Account, amount: int) -> RefusedError | None:
    promised = account.total + sum(one.remaining for one in account.grants if one.pending)
    if promised + amount > AMOUNT_MAX:
        return BalanceLimitError(amount, promised, AMOUNT_MAX)
    return GrantLimitError(LIVE_GRANTS_MAX) if len(account.grants) >= LIVE_GRANTS_MAX else None
