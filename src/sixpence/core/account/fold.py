"""From changes to rows, and from rows to accounts: `record` makes the row of a change, `fold` rebuilds an account.

Both apply rows by the same function (`apply`), so that every balance follows from the ledger. Not here: which change
is made (`rules.decide`).
"""

from collections.abc import Iterable

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.apply import apply_change
from sixpence.core.account.chain import HASH_FORMAT, row_hash
from sixpence.core.account.change import Change
from sixpence.core.account.movement import net
from sixpence.core.account.transaction import (
    Detail,
    Transaction,
    grant_id,
    seq_of,
    transaction_id,
    write_allocations,
    write_detail,
)
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.values import metadata as metadata_text


def next_id(account: Account, at: int, place: int = 0) -> str:
    """Return the id of the account's next row, if it takes effect at `at`; with a place, the id of a grant in it."""
    return grant_id(transaction_id(account.account_no, account.seq + 1, at), place)


def record(account: Account, change: Change, *, recorded_at: int) -> Transaction:
    """Append the change to the account's chain: apply its row to the account, and return the row."""
    amount, held, total = net(change.allocations)
    unhashed = Transaction(
        account_no=account.account_no,
        seq=account.seq + 1,
        id=next_id(account, change.at),
        account_id=account.account_id,
        kind=change.kind,
        amount=amount,
        balance_after=account.remaining + amount,
        total_after=account.total + total,
        held_after=account.held + held,
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
        hash=b"",  # computed below from the other fields
        created_at=change.at,
        recorded_at=recorded_at,
        about_seq=None if change.detail.about is None else seq_of(change.detail.about),
    )
    row = msgspec.structs.replace(unhashed, hash=row_hash(account.head, unhashed))
    apply_change(account, row, change.detail, change.allocations)
    return row


def fold(account: Account, rows: Iterable[Transaction]) -> Account:
    """Apply rows in order and recompute each hash; raises `BrokenLedgerError` at the first row that does not fit."""
    for row in rows:
        check_link(account.head, row)
        detail = row.read_detail()
        check_place(row, detail)
        apply_change(account, row, detail, row.read_allocations())
    return account


def check_link(head: bytes, row: Transaction) -> None:
    """Raise `BrokenLedgerError` unless the row is unchanged and follows this head of the chain."""
    if row.metadata is not None and metadata_text.digest(row.metadata) != row.metadata_digest:
        raise BrokenLedgerError(f"transaction {row.seq}: its metadata is not what was recorded")
    try:
        follows = row_hash(head, row) == row.hash
    except LookupError as error:
        raise BrokenLedgerError(f"transaction {row.seq}: hash format {row.hash_format} is not known") from error
    if not follows:
        raise BrokenLedgerError(f"transaction {row.seq}: its hash does not follow from its fields")


def check_place(row: Transaction, detail: Detail) -> None:
    """Raise `BrokenLedgerError` unless `about_seq` is the `seq` of what the row is about."""
    if row.about_seq != (None if detail.about is None else seq_of(detail.about)):
        raise BrokenLedgerError(f"transaction {row.seq}: it is filed under another transaction than it is about")
