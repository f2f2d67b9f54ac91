"""Converts rows to values and back, matching columns and fields by name; transactions by the order of their columns."""

from collections.abc import Sequence
from typing import Any

import msgspec

from sixpence.core.account.account import Account, Standing
from sixpence.core.account.fair_use import Window
from sixpence.core.account.grant import Grant
from sixpence.core.account.hold import Hold
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import FIRST_HEAD, Transaction
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.values.stored_document import decoder_of
from sixpence.ledger.database.tables import credit_accounts, credit_transactions


class Live(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The document `live` of an account's row: the live state that has no columns."""

    grants: list[Grant] = []
    overdraft_held: int = 0
    standing: Standing = "open"
    subscription: Subscription | None = None
    windows: tuple[Window, ...] = ()
    holds_due_at: int | None = None


class AccountRow(msgspec.Struct, frozen=True, gc=False):
    """A `credit_accounts` row; its fields are the columns."""

    account_no: int
    account_id: str
    subscription_status: str
    credits_remaining: int
    credits_held: int
    credits_total: int
    credits_owed: int
    credits_granted_at: int | None
    seq: int
    head: bytes | None
    last_at: int
    next_due_at: int | None
    live: str
    label: str | None
    metadata: str | None


class HoldRow(msgspec.Struct, frozen=True, gc=False):
    """A `credit_holds` row; its fields are the columns."""

    account_no: int
    seq: int
    id: str
    state: str
    amount: int
    expires_at: int
    document: str


ACCOUNT_COLUMNS = tuple(column.name for column in credit_accounts.columns)
TRANSACTION_COLUMNS = tuple(column.name for column in credit_transactions.columns)
HOLD_COLUMNS = HoldRow.__struct_fields__

_decode_live = decoder_of(Live)
_decode_hold = decoder_of(Hold)
_encode = msgspec.json.Encoder().encode


def account_from_row(row: Sequence[Any]) -> Account:
    """The account of a `credit_accounts` row, without holds; raises `BrokenLedgerError` for an unreadable document."""
    stored = AccountRow(*row)
    try:
        live = _decode_live(stored.live)
    except msgspec.MsgspecError as error:
        raise BrokenLedgerError(f"account '{stored.account_id}': its live document cannot be read: {error}") from error
    return Account(
        account_no=stored.account_no,
        account_id=stored.account_id,
        plan=stored.subscription_status,
        remaining=stored.credits_remaining,
        held=stored.credits_held,
        total=stored.credits_total,
        owed=stored.credits_owed,
        granted_at=stored.credits_granted_at,
        seq=stored.seq,
        head=FIRST_HEAD if stored.head is None else bytes(stored.head),
        last_at=stored.last_at,
        next_due_at=stored.next_due_at,
        grants=live.grants,
        overdraft_held=live.overdraft_held,
        standing=live.standing,
        subscription=live.subscription,
        windows=live.windows,
        holds_due_at=live.holds_due_at,
        label=stored.label,
        metadata=stored.metadata,
    )


def account_to_row(account: Account) -> AccountRow:
    """The `credit_accounts` row of an account, without its holds."""
    live = Live(
        grants=account.grants,
        overdraft_held=account.overdraft_held,
        standing=account.standing,
        subscription=account.subscription,
        windows=account.windows,
        holds_due_at=account.holds_due_at,
    )
    return AccountRow(
        account_no=account.account_no,
        account_id=account.account_id,
        subscription_status=account.plan,
        credits_remaining=account.remaining,
        credits_held=account.held,
        credits_total=account.total,
        credits_owed=account.owed,
        credits_granted_at=account.granted_at,
        seq=account.seq,
        head=account.head,
        last_at=account.last_at,
        next_due_at=account.next_due_at,
        live=_encode(live).decode(),
        label=account.label,
        metadata=account.metadata,
    )


def transaction_from_row(row: Sequence[Any]) -> Transaction:
    """The transaction of a `credit_transactions` row."""
    return Transaction(*row)


def transaction_to_row(transaction: Transaction) -> tuple[Any, ...]:
    """The `credit_transactions` row of a transaction."""
    return msgspec.structs.astuple(transaction)


def hold_from_document(document: str) -> Hold:
    """The hold of a `credit_holds` row's document; raises `BrokenLedgerError` for an unreadable one."""
    try:
        return _decode_hold(document)
    except (msgspec.MsgspecError, TypeError) as error:
        raise BrokenLedgerError(f"the document of a hold cannot be read: {error}") from error


def hold_to_row(account_no: int, hold: Hold) -> HoldRow:
    """The `credit_holds` row of a hold."""
    return HoldRow(
        account_no=account_no,
        seq=hold.seq,
        id=hold.id,
        state=hold.state,
        amount=hold.amount,
        expires_at=hold.terms.expires_at,
        document=_encode(hold).decode(),
    )
