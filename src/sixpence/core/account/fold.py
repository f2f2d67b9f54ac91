"""Between changes, rows and accounts: `record` writes a change down, and the fold rebuilds an account from its rows.

`decide` says what happens; the row that is written is applied by the same function that the fold uses (`apply`), so a
balance that the ledger does not explain cannot arise, and cannot hide.
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
    """The id that the account's next row will have when it takes effect at `at`; with a place, that of its grant."""
    return grant_id(transaction_id(account.account_no, account.seq + 1, at), place)


def record(account: Account, change: Change, *, recorded_at: int) -> Transaction:
    """Append the change to the account's chain: returns its row and leaves the account as the row says."""
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
        hash=b"",  # once the other fields stand
        created_at=change.at,
        recorded_at=recorded_at,
        about_seq=None if change.detail.about is None else seq_of(change.detail.about),
    )
    row = msgspec.structs.replace(unhashed, hash=row_hash(account.head, unhashed))
    apply_change(account, row, change.detail, change.allocations)
    return row


def fold(account: Account, rows: Iterable[Transaction]) -> Account:
    """Apply rows in order to the account, each hash computed anew; raises `BrokenLedgerError` at the first misfit."""
    for row in rows:
        check_link(account.head, row)
        detail = row.read_detail()
        check_place(row, detail)
        apply_change(account, row, detail, row.read_allocations())
    return account


def check_link(head: bytes, row: Transaction) -> None:
    """Raise `BrokenLedgerError` unless the row is, as it was written, the one that follows this head of the chain."""
    if row.metadata is not None and metadata_text.digest(row.metadata) != row.metadata_digest:
        raise BrokenLedgerError(f"transaction {row.seq}: its metadata is not what was recorded")
    try:
        follows = row_hash(head, row) == row.hash
    except LookupError as error:
        raise BrokenLedgerError(f"transaction {row.seq}: hash format {row.hash_format} is not known") from error
    if not follows:
        raise BrokenLedgerError(f"transaction {row.seq}: its hash does not follow from its fields")


def check_place(row: Transaction, detail: Detail) -> None:
    """Raise `BrokenLedgerError` unless the row is filed under what it is about."""
    if row.about_seq != (None if detail.about is None else seq_of(detail.about)):
        raise BrokenLedgerError(f"transaction {row.seq}: it is filed under another transaction than it is about")
