"""The one function that changes an account: it applies a row of the ledger, just decided or read from the database.

It knows what movements do. Not here: the rules that lead to them. A row that does not fit the account raises
`BrokenLedgerError`.
"""

from bisect import insort
from typing import NoReturn

import msgspec

from sixpence.core.account.account import Account, next_due_at
from sixpence.core.account.fair_use import with_mark
from sixpence.core.account.grant import Grant, Over, burn_down_order
from sixpence.core.account.hold import Hold, HoldState
from sixpence.core.account.movement import (
    EFFECTS,
    ENDS,
    LOWERS_THE_GRANT,
    OVERDRAFT,
    Allocation,
    net,
)
from sixpence.core.account.transaction import Detail, GrantTerms, Transaction, grant_id
from sixpence.core.errors import BrokenLedgerError

# The state of the hold after a row of this kind.
_ENDS_HOLD: dict[str, HoldState] = {"capture": "captured", "release": "released", "hold_expire": "expired"}
# Only these movements move a grant that has not taken effect, and they move all of it.
_OF_PENDING = frozenset(("took_effect", "unscheduled"))


def apply(account: Account, row: Transaction) -> None:
    """Apply a row of the ledger to the account; raises `BrokenLedgerError` where they do not fit."""
    apply_change(account, row, row.read_detail(), row.read_allocations())


def apply_change(account: Account, row: Transaction, detail: Detail, allocations: tuple[Allocation, ...]) -> None:
    """Apply a row whose detail and allocations are already decoded."""
    if row.account_no != account.account_no or row.account_id != account.account_id:
        _raise_broken(row, f"is not of '{account.account_id}'")
    if row.seq != account.seq + 1:
        _raise_broken(row, f"follows {account.seq}")
    if row.created_at < account.last_at:
        _raise_broken(row, "is older than the one before it")
    makes_grants = detail.grant is not None or bool(detail.revived)
    if makes_grants:
        _add_grants(account, row, detail)
    for allocation in allocations:
        _move(account, row, allocation)
    if makes_grants:
        _check_filled(account, row, detail, allocations)
    _update_balance(account, row, allocations)
    _apply_hold(account, row, detail, allocations)
    _apply_facts(account, row, detail)
    account.seq, account.head, account.last_at = row.seq, row.hash, row.created_at
    account.next_due_at = next_due_at(account)


def _add_grants(account: Account, row: Transaction, detail: Detail) -> None:
    """Add the row's new grants and its revived ones, all empty: its movements fill them."""
    for place, terms in enumerate(detail.grants):
        insort(account.grants, _new_grant(grant_id(row.id, place), terms), key=burn_down_order)
    for revived in detail.revived:
        if _find_place(account, revived.grant_id) is not None:
            _raise_broken(row, "brings back a grant that is live")
        insort(account.grants, _new_grant(revived.grant_id, revived.terms), key=burn_down_order)


def _new_grant(name: str, terms: GrantTerms) -> Grant:
    return Grant(
        id=name,
        amount=terms.amount,
        remaining=0,
        category=terms.category,
        effective_at=terms.effective_at,
        expires_at=terms.expires_at,
        priority=terms.priority,
        features=terms.features,
        by_plan=terms.by_plan,
        rolled=terms.rolled,
        instead_of=terms.instead_of,
        counted_in=terms.counted_in,
    )


def _move(account: Account, row: Transaction, allocation: Allocation) -> None:
    effect, amount = EFFECTS[allocation.movement], allocation.amount
    remaining, held = effect.remaining * amount, effect.held * amount
    if allocation.grant_id == OVERDRAFT:
        account.owed -= remaining
        account.overdraft_held += held
        if account.owed < 0 or account.overdraft_held < 0:
            _raise_broken(row, "gives back more of the overdraft than was used")
        return
    if allocation.movement == "withheld":
        return
    place = _find_place(account, allocation.grant_id)
    if place is None:
        _raise_broken(row, "moves a grant that is not live")
    grant = _move_grant(account.grants[place], row, allocation, remaining, held)
    if grant.remaining:
        account.grants[place] = grant
    else:
        del account.grants[place]


def _move_grant(grant: Grant, row: Transaction, allocation: Allocation, remaining: int, held: int) -> Grant:
    """Return the grant after one movement."""
    movement = allocation.movement
    if grant.pending != (movement in _OF_PENDING) or (grant.pending and abs(allocation.amount) != grant.remaining):
        _raise_broken(row, "moves a grant out of its time, or in part")
    over: Over | None = grant.over
    if movement in ENDS:
        over = "voided" if movement == "voided" else "expired"
    amount = grant.amount + (allocation.amount if movement in LOWERS_THE_GRANT else 0)
    moved = msgspec.structs.replace(
        grant,
        amount=amount,
        remaining=grant.remaining + remaining,
        held=grant.held + held,
        pending=movement == "scheduled",
        over=over,
    )
    if not 0 <= moved.held <= moved.remaining <= moved.amount or (over is not None and moved.held != moved.remaining):
        _raise_broken(row, "takes more from a grant than it has, or gives back more than it took")
    return moved


def _check_filled(account: Account, row: Transaction, detail: Detail, allocations: tuple[Allocation, ...]) -> None:
    """Check that each new grant received the amount of its terms, and each revived one something."""
    for place, terms in enumerate(detail.grants):
        name = grant_id(row.id, place)
        given = [part.amount for part in allocations if part.grant_id == name and part.amount > 0]
        if given != [terms.amount]:
            _raise_broken(row, "grants other than its terms say")
    if any(grant.remaining == 0 for grant in account.grants):
        _raise_broken(row, "leaves a grant with nothing")


def _find_place(account: Account, name: str) -> int | None:
    for place, grant in enumerate(account.grants):
        if grant.id == name:
            return place
    return None


def _update_balance(account: Account, row: Transaction, allocations: tuple[Allocation, ...]) -> None:
    amount, held, total = net(allocations)
    if row.amount != amount:
        _raise_broken(row, "states another amount than it moves")
    account.remaining += amount
    account.held += held
    account.total += total
    if account.remaining != row.balance_after or account.total != row.total_after or account.held != row.held_after:
        _raise_broken(row, "does not add up to the balance it states")


def _apply_hold(account: Account, row: Transaction, detail: Detail, allocations: tuple[Allocation, ...]) -> None:
    if detail.hold is not None:
        parts = tuple((part.grant_id, -part.amount) for part in allocations)
        account.holds[row.id] = Hold(
            id=row.id, seq=row.seq, terms=detail.hold, plan=row.plan, parts=parts, mark=detail.mark
        )
        due_at = account.holds_due_at
        account.holds_due_at = detail.hold.expires_at if due_at is None else min(due_at, detail.hold.expires_at)
        return
    ended = _ENDS_HOLD.get(row.kind)
    if ended is None and detail.hold_expires_at is None and not detail.late:
        return
    hold = account.holds.get(str(detail.about))
    if hold is None or (hold.state != "open") != detail.late:
        _raise_broken(row, "is about a hold that is not open, or not there")
    if detail.late:
        hold = msgspec.structs.replace(hold, captured_late=True)
    elif detail.hold_expires_at is not None:
        terms = msgspec.structs.replace(hold.terms, expires_at=detail.hold_expires_at)
        hold = msgspec.structs.replace(hold, terms=terms)
    elif ended is not None:
        if _held_changes(allocations) != {name: -part for name, part in hold.parts}:
            _raise_broken(row, "does not capture and give back what its hold has set aside")
        hold = msgspec.structs.replace(hold, state=ended, ended_at=row.created_at)
    account.holds[hold.id] = hold
    earliest = account.holds.earliest()
    account.holds_due_at = None if earliest is None else earliest.terms.expires_at


def _held_changes(allocations: tuple[Allocation, ...]) -> dict[str, int]:
    """Return the change of what is held, for each grant with a change."""
    changes: dict[str, int] = {}
    for part in allocations:
        held = EFFECTS[part.movement].held * part.amount
        if held:
            changes[part.grant_id] = changes.get(part.grant_id, 0) + held
    return changes


def _apply_facts(account: Account, row: Transaction, detail: Detail) -> None:
    """Apply what a row says beside credits: the plan, its term, the fair-use window, and the account's standing."""
    account.plan = row.plan
    if detail.subscription is not None:
        account.subscription = detail.subscription
    if detail.mark is not None:
        account.windows = with_mark(account.windows, detail.mark, row.created_at)
    if row.kind == "signup":
        account.granted_at = row.created_at
    elif row.kind == "freeze":
        account.standing = "frozen"
    elif row.kind == "unfreeze":
        account.standing = "open"
    elif row.kind == "close":
        account.standing, account.subscription = "closed", None


def _raise_broken(row: Transaction, how: str) -> NoReturn:
    raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' {how}")
