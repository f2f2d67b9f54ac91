"""Reads of an account: its current state, its open holds and its transactions. Nothing here writes or decides.

Every query begins with the account's number, or with the feature for past captures. So a read costs the same for ten
transactions and for a million.
"""

from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    LargeBinary,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
)

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Hold, HoldTerms
from sixpence.core.account.transaction import Detail, Transaction, seq_of
from sixpence.core.errors import NotPermittedError
from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.rows import account_from_row, hold_from_document, transaction_from_row
from sixpence.ledger.database.tables import (
    auth_api_keys,
    catalog_versions,
    credit_accounts,
    credit_holds,
    credit_transactions,
)

PAGE_MAX = 200
# A filtered page scans at most this many rows. It may return fewer transactions than its limit, with a cursor.
SCANNED_ROWS_MAX = 1_000

# The value is in the statement's text, because only then does the planner choose the partial index.
_OPEN = text("state = 'open'")
_CAPTURE = text("kind = 'capture'")

_decode_detail = msgspec.json.Decoder(Detail).decode


_PERMITTED = exists().where(
    auth_api_keys.c.key_hash == bindparam("permit", type_=LargeBinary), auth_api_keys.c.revoked_at.is_(None)
)
_SNAPSHOT_ON_SQLITE, _SNAPSHOT_ON_POSTGRES = (
    select(
        *credit_accounts.c,
        literal_column(clock).label("clock"),
        select(func.max(catalog_versions.c.version)).scalar_subquery(),
        _PERMITTED,
    ).select_from(
        # An unknown account gives one row, too.
        select(literal_column("1").label("one"))
        .subquery()
        .outerjoin(credit_accounts, credit_accounts.c.account_no == bindparam("number", type_=BigInteger))
    )
    for clock in ("NULL", "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
)


class Filter(msgspec.Struct, frozen=True):
    """Which transactions a page shows; None means any. Times are microseconds, `until` is exclusive."""

    feature: str | None = None
    kind: str | None = None
    since: int | None = None
    until: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The filter as conditions on `credit_transactions`."""
        columns = credit_transactions.c
        conditions = []
        if self.feature is not None:
            conditions.append(columns.feature_used == self.feature)
        if self.kind is not None:
            conditions.append(columns.kind == self.kind)
        if self.since is not None:
            conditions.append(columns.created_at >= self.since)
        if self.until is not None:
            conditions.append(columns.created_at < self.until)
        return conditions


class Page(msgspec.Struct, frozen=True):
    """Transactions, newest first, and the `seq` below which the next page begins; None on the last page."""

    transactions: list[Transaction]
    next_seq: int | None


class CaptureWithTerms(msgspec.Struct, frozen=True):
    """A capture and the terms of its hold. A capture without a usage of its own used what the hold was placed for."""

    row: Transaction
    terms: HoldTerms | None


class AccountSnapshot(msgspec.Struct, frozen=True):
    """An account as stored, None if it does not exist, with what every read of it needs.

    `clock` is the server's time in microseconds; None on SQLite, where the process's clock counts.
    """

    account: Account | None
    clock: int | None
    catalog_version: int | None


def read_account_snapshot(connection: Connection, account_id: str, permit: bytes | None) -> AccountSnapshot:
    """Read the account, the server's clock and the catalog's version, in one statement.

    `permit` is the hash of the request's API key, None if already authorized. Raises `NotPermittedError` if the key is
    unknown or revoked.
    """
    statement = _SNAPSHOT_ON_POSTGRES if connection.dialect.name == "postgresql" else _SNAPSHOT_ON_SQLITE
    snapshot = AccountSnapshot(None, None, None)

    def load(by_no: Any) -> dict[int, Account]:
        nonlocal snapshot
        (number,) = by_no
        *row, clock, version, permitted = connection.execute(statement, {"number": number, "permit": permit}).one()
        if permit is not None and not permitted:
            raise NotPermittedError
        snapshot = AccountSnapshot(None, clock, version)
        return {} if row[0] is None else {number: account_from_row(row)}

    account = load_by_id((account_id,), load).get(account_id)
    return snapshot if account is None or not account.exists else msgspec.structs.replace(snapshot, account=account)


def check_permit(connection: Connection, permit: bytes) -> None:
    """Raise `NotPermittedError` unless an active API key has this hash."""
    if not connection.scalar(select(_PERMITTED), {"permit": permit}):
        raise NotPermittedError


def find_account(connection: Connection, account_id: str) -> Account | None:
    """The account as stored, without what has fallen due since; None if it does not exist."""

    def load(by_no: Any) -> dict[int, Account]:
        query = select(credit_accounts).where(credit_accounts.c.account_no.in_(list(by_no)))
        return {row[0]: account_from_row(row) for row in connection.execute(query)}

    account = load_by_id((account_id,), load).get(account_id)
    return account if account is not None and account.exists else None


def list_transactions(
    connection: Connection, account: Account, *, below_seq: int | None, limit: int, matching: Filter
) -> Page:
    """A page of the account's transactions, newest first, below `below_seq` if given."""
    columns = credit_transactions.c
    top = account.seq if below_seq is None else min(account.seq, below_seq - 1)
    conditions = matching.conditions()
    bottom = max(0, top - SCANNED_ROWS_MAX) if conditions else 0
    query = (
        select(credit_transactions)
        .where(columns.account_no == account.account_no, columns.seq <= top, columns.seq > bottom, *conditions)
        .order_by(columns.seq.desc())
        .limit(limit + 1)
    )
    rows = [transaction_from_row(row) for row in connection.execute(query)]
    if len(rows) > limit:
        return Page(rows[:limit], rows[limit - 1].seq)
    return Page(rows, bottom + 1 if bottom > 0 else None)


def find_transaction(connection: Connection, account: Account, transaction_id: str) -> Transaction | None:
    """The account's transaction with that id, or None."""
    seq = seq_of(transaction_id)
    if seq is None:
        return None
    columns = credit_transactions.c
    query = select(credit_transactions).where(columns.account_no == account.account_no, columns.seq == seq)
    row = connection.execute(query).first()
    transaction = None if row is None else transaction_from_row(row)
    return transaction if transaction is not None and transaction.id == transaction_id else None


def list_open_holds(connection: Connection, account: Account, limit: int) -> list[Hold]:
    """The account's open holds as stored, by expiry time; holds that have fallen due since are still open here."""
    columns = credit_holds.c
    query = (
        select(columns.document)
        .where(columns.account_no == account.account_no, _OPEN)
        .order_by(columns.expires_at, columns.seq)
        .limit(limit)
    )
    return [hold_from_document(document) for (document,) in connection.execute(query)]


def list_captures(connection: Connection, feature: str, *, limit: int) -> list[CaptureWithTerms]:
    """The latest captures of a feature over all accounts, newest first."""
    columns = credit_transactions.c
    hold_rows = credit_transactions.alias()
    # One look-up for each row, so that the captures stay in the order of their index.
    hold_detail = (
        select(hold_rows.c.detail)
        .where(hold_rows.c.account_no == columns.account_no, hold_rows.c.seq == columns.about_seq)
        .scalar_subquery()
    )
    query = (
        select(credit_transactions, hold_detail)
        .where(columns.feature_used == feature, _CAPTURE)
        .order_by(columns.created_at.desc())
        .limit(limit)
    )
    return [
        CaptureWithTerms(transaction_from_row(row), None if detail is None else _decode_detail(detail).hold)
        for *row, detail in connection.execute(query)
    ]
