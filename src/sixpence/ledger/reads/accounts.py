"""Reads: an account's live state, its holds and its history. Nothing here changes anything or decides anything.

Every query starts with the account's number (past captures, with the feature), so it costs the same for ten
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
# A filtered page looks at this many rows and no more; it may come back short, with a cursor to go on.
LOOKED_AT_MAX = 1_000

# With the value in the statement's own text: only then does the planner see that a partial index holds the answer.
_OPEN = text("state = 'open'")
_CAPTURE = text("kind = 'capture'")

_decode_detail = msgspec.json.Decoder(Detail).decode


_PERMITTED = exists().where(
    auth_api_keys.c.key_hash == bindparam("permit", type_=LargeBinary), auth_api_keys.c.revoked_at.is_(None)
)
_SEEN_ON_SQLITE, _SEEN_ON_POSTGRES = (
    select(
        *credit_accounts.c,
        literal_column(clock).label("clock"),
        select(func.max(catalog_versions.c.version)).scalar_subquery(),
        _PERMITTED,
    ).select_from(
        # One row also where there is no account.
        select(literal_column("1").label("one"))
        .subquery()
        .outerjoin(credit_accounts, credit_accounts.c.account_no == bindparam("number", type_=BigInteger))
    )
    for clock in ("NULL", "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
)


class Filter(msgspec.Struct, frozen=True):
    """Which transactions a page shows: None means any. Times are microseconds, `until` excluded."""

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
    """Transactions, newest first, and the `seq` below which the next page begins; None when there is no more."""

    transactions: list[Transaction]
    next_seq: int | None


class Captured(msgspec.Struct, frozen=True):
    """A capture, and what its hold was placed for: where it says no usage, that was used."""

    row: Transaction
    terms: HoldTerms | None


class Seen(msgspec.Struct, frozen=True):
    """An account as it stands in the database, None where there is none, and what a look at it needs beside it.

    `clock` is the server's time in microseconds, None on SQLite, where the process's own counts.
    """

    account: Account | None
    clock: int | None
    catalog_version: int | None


def see_account(connection: Connection, account_id: str, permit: bytes | None) -> Seen:
    """Everything that a look at an account begins with, in one statement.

    Raises `NotPermittedError` where a permit is shown and does not let in.
    """
    statement = _SEEN_ON_POSTGRES if connection.dialect.name == "postgresql" else _SEEN_ON_SQLITE
    seen = Seen(None, None, None)

    def load(by_no: Any) -> dict[int, Account]:
        nonlocal seen
        (number,) = by_no
        *row, clock, version, permitted = connection.execute(statement, {"number": number, "permit": permit}).one()
        if permit is not None and not permitted:
            raise NotPermittedError
        seen = Seen(None, clock, version)
        return {} if row[0] is None else {number: account_from_row(row)}

    account = load_by_id((account_id,), load).get(account_id)
    return seen if account is None or not account.exists else msgspec.structs.replace(seen, account=account)


def check_permit(connection: Connection, permit: bytes) -> None:
    """Raise `NotPermittedError` unless the API key with this hash lets in."""
    if not connection.scalar(select(_PERMITTED), {"permit": permit}):
        raise NotPermittedError


def find_account(connection: Connection, account_id: str) -> Account | None:
    """The account as it stands in the database, without what has fallen due since; None where there is none."""

    def load(by_no: Any) -> dict[int, Account]:
        query = select(credit_accounts).where(credit_accounts.c.account_no.in_(list(by_no)))
        return {row[0]: account_from_row(row) for row in connection.execute(query)}

    account = load_by_id((account_id,), load).get(account_id)
    return account if account is not None and account.exists else None


def list_transactions(
    connection: Connection, account: Account, *, below_seq: int | None, limit: int, matching: Filter
) -> Page:
    """A page of the account's history, newest first, below `below_seq` where it is given."""
    columns = credit_transactions.c
    top = account.seq if below_seq is None else min(account.seq, below_seq - 1)
    conditions = matching.conditions()
    bottom = max(0, top - LOOKED_AT_MAX) if conditions else 0
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
    """The account's transaction of that id, None where it has none."""
    seq = seq_of(transaction_id)
    if seq is None:
        return None
    columns = credit_transactions.c
    query = select(credit_transactions).where(columns.account_no == account.account_no, columns.seq == seq)
    row = connection.execute(query).first()
    transaction = None if row is None else transaction_from_row(row)
    return transaction if transaction is not None and transaction.id == transaction_id else None


def list_open_holds(connection: Connection, account: Account, limit: int) -> list[Hold]:
    """The account's open holds, those that end first first, without what has fallen due since."""
    columns = credit_holds.c
    query = (
        select(columns.document)
        .where(columns.account_no == account.account_no, _OPEN)
        .order_by(columns.expires_at, columns.seq)
        .limit(limit)
    )
    return [hold_from_document(document) for (document,) in connection.execute(query)]


def list_captures(connection: Connection, feature: str, *, limit: int) -> list[Captured]:
    """The newest captures of a feature over all accounts, newest first: what a use came to in the end."""
    columns = credit_transactions.c
    placed = credit_transactions.alias()
    # Looked up row by row, so that the captures stay in the order of their index.
    placing = (
        select(placed.c.detail)
        .where(placed.c.account_no == columns.account_no, placed.c.seq == columns.about_seq)
        .scalar_subquery()
    )
    query = (
        select(credit_transactions, placing)
        .where(columns.feature_used == feature, _CAPTURE)
        .order_by(columns.created_at.desc())
        .limit(limit)
    )
    return [
        Captured(transaction_from_row(row), None if placed_as is None else _decode_detail(placed_as).hold)
        for *row, placed_as in connection.execute(query)
    ]
