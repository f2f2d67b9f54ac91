"""Rows to accounts: the one function that changes an account, and the fold that rebuilds it from its ledger.

`decide` says what happens; `record` writes that down as a row and `apply` makes it so. The fold applies the same rows
again, so a balance that the ledger does not explain cannot arise, and cannot hide.
"""

from bisect import insort
from collections.abc import Iterable

import msgspec

from sixpence.core import metadata as metadata_text
from sixpence.core.account import Account, next_due_at
from sixpence.core.commands import Key
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.grant import Grant, burn_down_order
from sixpence.core.transaction import (
    HASH_FORMAT,
    Allocation,
    Detail,
    Kind,
    Transaction,
    hashed_fields,
    row_hash,
    transaction_id,
    write_allocations,
    write_detail,
)

# What each movement does to `total`; what is spent stays in it, since total counts consumption back in.
_TOTAL_SIGN = {"granted": 1, "took_effect": 1, "expired": 1, "scheduled": 0, "consumed": 0}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What `decide` wants written down: the facts of a row that do not follow from the account."""

    kind: Kind
    at: int
    amount: int = 0
    allocations: tuple[Allocation, ...] = ()
    detail: Detail = Detail()
    plan: str | None = None
    feature_used: str | None = None
    credits_consumed: int | None = None
    generation_id: str | None = None
    metadata: str | None = None
    key: Key | None = None


def next_id(account: Account, at: int) -> str:
    """The id that the account's next row will have when it takes effect at `at`."""
    return transaction_id(account.account_no, account.seq + 1, at)


def record(account: Account, change: Change, *, recorded_at: int) -> Transaction:
    """Append the change to the account's chain: returns its row and leaves the account as the row says."""
    unhashed = Transaction(
        account_no=account.account_no,
        seq=account.seq + 1,
        id=next_id(account, change.at),
        account_id=account.account_id,
        kind=change.kind,
        amount=change.amount,
        balance_after=account.remaining + change.amount,
        total_after=account.total + _total_change(change.allocations),
        held_after=account.held,
        plan=account.plan if change.plan is None else change.plan,
        feature_used=change.feature_used,
        credits_consumed=change.credits_consumed,
        generation_id=change.generation_id,
        metadata=change.metadata,
        metadata_digest=metadata_text.digest(change.metadata),
        detail=write_detail(change.detail),
        allocations=write_allocations(change.allocations),
        idempotency_key=None if change.key is None else change.key.value,
        fingerprint=None if change.key is None else change.key.fingerprint,
        hash_format=HASH_FORMAT,
        hash=b"",
        created_at=change.at,
        recorded_at=recorded_at,
    )
    row = msgspec.structs.replace(unhashed, hash=row_hash(account.head, hashed_fields(unhashed)))
    _apply(account, row, change.detail, change.allocations)
    return row


def apply(account: Account, row: Transaction) -> None:
    """Change the account as a row of its ledger says; raises `BrokenLedgerError` where they do not fit."""
    _apply(account, row, row.read_detail(), row.read_allocations())


def fold(account: Account, rows: Iterable[Transaction]) -> Account:
    """Apply rows in order to the account, each hash computed anew; raises `BrokenLedgerError` at the first misfit."""
    for row in rows:
        if row.hash_format != HASH_FORMAT:
            raise BrokenLedgerError(f"transaction {row.seq}: hash format {row.hash_format} is not known")
        if row.metadata is not None and metadata_text.digest(row.metadata) != row.metadata_digest:
            raise BrokenLedgerError(f"transaction {row.seq}: its metadata is not what was recorded")
        if row_hash(account.head, hashed_fields(row)) != row.hash:
            raise BrokenLedgerError(f"transaction {row.seq}: its hash does not follow from its fields")
        apply(account, row)
    return account


def _apply(account: Account, row: Transaction, detail: Detail, allocations: tuple[Allocation, ...]) -> None:
    if (row.account_no, row.account_id) != (account.account_no, account.account_id):
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' is not of '{account.account_id}'")
    if row.seq != account.seq + 1:
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' follows {account.seq}")
    if row.created_at < account.last_at:
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' is older than the one before it")
    granted = False
    for allocation in allocations:
        granted |= _move(account, row, detail, allocation)
    if row.amount != _amount(allocations):
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' states another amount than it moves")
    account.remaining += row.amount
    account.total += _total_change(allocations)
    if (account.remaining, account.total, account.held) != (row.balance_after, row.total_after, row.held_after):
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' does not add up to the balance it states")
    account.plan = row.plan
    account.seq = row.seq
    account.head = row.hash
    account.last_at = row.created_at
    if row.kind == "signup":
        account.granted_at = row.created_at
    if granted or account.next_due_at is not None:
        account.next_due_at = next_due_at(account.grants)


def _move(account: Account, row: Transaction, detail: Detail, allocation: Allocation) -> bool:
    """Make one movement; True when it brought a grant or changed when the next one is due."""
    if allocation.movement in ("granted", "scheduled"):
        _add(account, _grant_of(row, detail, allocation))
        return True
    place = next((place for place, grant in enumerate(account.grants) if grant.id == allocation.grant_id), None)
    if place is None:
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' moves a grant that is not live")
    grant = account.grants[place]
    takes_effect = allocation.movement == "took_effect"
    if takes_effect != grant.pending or (takes_effect and allocation.amount != grant.remaining):
        raise BrokenLedgerError(
            f"transaction {row.seq} of '{row.account_id}' moves a grant out of its time, or in part"
        )
    if takes_effect:
        account.grants[place] = msgspec.structs.replace(grant, pending=False)
        return True
    remaining = grant.remaining + allocation.amount
    if not grant.held <= remaining <= grant.amount:
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' takes more from a grant than it has")
    if remaining:
        account.grants[place] = msgspec.structs.replace(grant, remaining=remaining)
    else:
        del account.grants[place]
    return False


def _grant_of(row: Transaction, detail: Detail, allocation: Allocation) -> Grant:
    terms = detail.grant
    if terms is None or (allocation.grant_id, allocation.amount) != (row.id, terms.amount):
        raise BrokenLedgerError(f"transaction {row.seq} of '{row.account_id}' grants other than its terms say")
    return Grant(
        id=row.id,
        amount=terms.amount,
        remaining=terms.amount,
        category=terms.category,
        effective_at=terms.effective_at,
        expires_at=terms.expires_at,
        priority=terms.priority,
        features=terms.features,
        pending=allocation.movement == "scheduled",
    )


def _add(account: Account, grant: Grant) -> None:
    insort(account.grants, grant, key=burn_down_order)


def _amount(allocations: tuple[Allocation, ...]) -> int:
    return sum(allocation.amount for allocation in allocations if allocation.movement != "scheduled")


def _total_change(allocations: tuple[Allocation, ...]) -> int:
    return sum(_TOTAL_SIGN[allocation.movement] * allocation.amount for allocation in allocations)
