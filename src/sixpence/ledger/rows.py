"""Between rows and values: the columns' order is the structs' field order, so a row is read by position."""

from collections.abc import Sequence
from typing import Any

import msgspec

from sixpence.core.account import Account
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.grant import Grant
from sixpence.core.transaction import FIRST_HEAD, Transaction
from sixpence.ledger.schema import credit_accounts, credit_transactions


class Live(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document on the account's row: what is live of it beside the figures that have columns."""

    grants: list[Grant] = []


class AccountRow(msgspec.Struct, frozen=True):
    """A `credit_accounts` row by its columns' names."""

    account_no: int
    account_id: str
    subscription_status: str
    credits_remaining: int
    credits_held: int
    credits_total: int
    credits_owed: int
    credits_granted_at: int | None
    seq: int
    head: bytes
    last_at: int
    next_due_at: int | None
    live: str
    label: str | None
    metadata: str | None


ACCOUNT_COLUMNS = tuple(column.name for column in credit_accounts.columns)
TRANSACTION_COLUMNS = tuple(column.name for column in credit_transactions.columns)

_HEAD = ACCOUNT_COLUMNS.index("head")
_LIVE = ACCOUNT_COLUMNS.index("live")
_decode_live = msgspec.json.Decoder(Live).decode
_encode = msgspec.json.Encoder().encode


def account_from_row(row: Sequence[Any]) -> Account:
    """The account of a `credit_accounts` row; raises `BrokenLedgerError` when its document cannot be read."""
    values = list(row)
    try:
        values[_LIVE] = _decode_live(values[_LIVE]).grants
    except msgspec.MsgspecError as error:
        raise BrokenLedgerError(f"account '{values[1]}': its live document cannot be read: {error}") from error
    values[_HEAD] = FIRST_HEAD if values[_HEAD] is None else bytes(values[_HEAD])
    return Account(*values)


def account_to_row(account: Account) -> "AccountRow":
    """The `credit_accounts` row of an account."""
    values = list(msgspec.structs.astuple(account))
    values[_LIVE] = _encode(Live(account.grants)).decode()
    return AccountRow(*values)


def transaction_from_row(row: Sequence[Any]) -> Transaction:
    """The transaction of a `credit_transactions` row."""
    return Transaction(*row)


def transaction_to_row(transaction: Transaction) -> tuple[Any, ...]:
    """The `credit_transactions` row of a transaction."""
    return msgspec.structs.astuple(transaction)
