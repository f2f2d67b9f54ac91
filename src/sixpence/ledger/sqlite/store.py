"""The store over a SQLite file: one writer connection, BEGIN IMMEDIATE, WAL, synchronous FULL.

The file's lock replaces locks on accounts: an open transaction holds all of them. Not here: opening
a file (`file`), and SQLite in memory (`memory`).
"""

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import BrokenLedgerError, DatabaseSetupError
from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.database.engines import engine_on_connection
from sixpence.ledger.database.rows import (
    ACCOUNT_COLUMNS,
    account_from_row,
    account_to_row,
    hold_from_document,
    transaction_from_row,
    transaction_to_row,
)
from sixpence.ledger.sqlite import statements
from sixpence.ledger.sqlite.file import connect
from sixpence.ledger.sqlite.statements import in_chunks, insert_transactions, update_accounts
from sixpence.ledger.writer.prefetch import (
    RowKey,
    group_prior_transactions,
    prefetch_after_lock,
    replaced_grant_keys,
    source_grant_keys,
)
from sixpence.ledger.writer.revoked_grants import Scan, scan_revoked_grants
from sixpence.ledger.writer.store import Append, BatchNeeds, ConnectionLostError, Loaded, RowRejectedError

T = TypeVar("T")

_HEAD = ACCOUNT_COLUMNS.index("head")

_read_accounts = msgspec.json.Decoder(list[tuple[Any, ...]]).decode


def system_clock() -> int:
    """The machine's time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


@contextmanager
def report_lost_connection() -> Iterator[None]:
    """Raise `ConnectionLostError` for any error of SQLite."""
    try:
        yield
    except sqlite3.Error as error:
        raise ConnectionLostError(str(error)) from error


class SQLiteStore:
    """The writer's store on a SQLite file. `clock` gives microseconds."""

    def __init__(self, path: str, *, clock: Callable[[], int] = system_clock) -> None:
        self._path = path
        self._clock = clock
        self._catalogs = CatalogCache()
        self._connection: sqlite3.Connection | None = None
        self._engine: Engine | None = None

    def connection(self) -> sqlite3.Connection:
        """The store's connection, opened at first use."""
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one transaction on this connection, between batches; an error rolls it back."""
        connection = self.connection()
        if self._engine is None:
            self._engine = engine_on_connection(connection)
        with self._engine.connect() as borrowed:
            connection.execute("BEGIN IMMEDIATE")
            try:
                answer = job(borrowed)
                connection.execute("COMMIT")
            except BaseException:
                self.roll_back()
                raise
        return answer

    def load(self, needs: BatchNeeds) -> Loaded:
        """Begin and read; after BEGIN IMMEDIATE no other connection writes until the batch ends."""
        with report_lost_connection():
            self.connection().execute("BEGIN IMMEDIATE")
        return self.read(needs)

    def read(self, needs: BatchNeeds) -> Loaded:
        """Read what a batch needs in the open transaction."""
        with report_lost_connection():
            connection = self.connection()
            accounts, broken = self._accounts(connection, needs)
            clock = self._clock()
            past = _prefetch(connection, needs, accounts, clock)
            return Loaded(
                clock=clock,
                priced_by=self._catalogs.current(
                    connection.execute(statements.CATALOG_VERSION).fetchone()[0],
                    lambda above, up_to: connection.execute(statements.CATALOGS, (above, up_to)),
                ),
                accounts=accounts,
                replays=self._replays(connection, needs, accounts),
                broken=broken,
                past=past,
                active_api_keys=frozenset(
                    key_hash
                    for key_hash in needs.api_key_hashes
                    if connection.execute(statements.ACTIVE_API_KEY, (key_hash,)).fetchone()
                ),
            )

    def append(self, append: Append) -> None:
        """Write the batch and commit it."""
        self.write(append, end="COMMIT")

    def write(self, append: Append, *, end: str) -> None:
        """Write the batch in the open transaction, then run the statement `end`."""
        connection = self.connection()
        try:
            for statement, values in in_chunks(insert_transactions, [transaction_to_row(row) for row in append.rows]):
                connection.execute(statement, values)
            _update(connection, [msgspec.structs.astuple(account_to_row(account)) for account in append.accounts])
            connection.executemany(statements.UPSERT_HOLD, [msgspec.structs.astuple(hold) for hold in append.holds])
            connection.executemany(
                statements.DELETE_UNUSED_ACCOUNT, [(number,) for number in append.unused_account_nos]
            )
            connection.execute(statements.INSERT_OUTBOX, (append.to_outbox_document(), append.clock))
            connection.execute(end)
        except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
            raise RowRejectedError(str(error)) from error
        except sqlite3.Error as error:
            raise ConnectionLostError(str(error)) from error

    def roll_back(self) -> None:
        """Roll back an open transaction; closes a connection that cannot."""
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Read the row on a new connection, under the file's lock, so that no other transaction is open."""
        self.close()
        try:
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute(statements.FIND_COMMITTED, (row.account_no, row.seq, row.hash)).fetchone()
            connection.execute("ROLLBACK")
        except (sqlite3.Error, DatabaseSetupError) as error:
            raise ConnectionLostError(str(error)) from error
        return found is not None

    def close(self) -> None:
        """Close the connection; SQLite rolls back an open transaction."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._engine = None

    def _accounts(self, connection: sqlite3.Connection, needs: BatchNeeds) -> tuple[dict[str, Account], frozenset[str]]:
        create_ids = set(needs.create_ids)
        broken = set()

        def load(by_no: Mapping[int, str]) -> dict[int, Account]:
            for number, account_id in by_no.items():
                if account_id in create_ids:
                    connection.execute(statements.CREATE_ACCOUNT, (number, account_id))
            numbers = msgspec.json.encode(list(by_no)).decode()
            found = {}
            for row in _read_accounts(connection.execute(statements.LOAD_ACCOUNTS, (numbers,)).fetchone()[0]):
                head = bytes.fromhex(row[_HEAD]) or None  # hex() of NULL is an empty text
                try:
                    found[row[0]] = account_from_row((*row[:_HEAD], head, *row[_HEAD + 1 :]))
                except BrokenLedgerError:
                    broken.add(by_no[row[0]])
            return found

        return load_by_id(needs.account_ids, load), frozenset(broken)

    def _replays(
        self, connection: sqlite3.Connection, needs: BatchNeeds, accounts: Mapping[str, Account]
    ) -> dict[tuple[str, str], Transaction]:
        keys = [[accounts[name].account_no, key] for name, key in needs.keys if name in accounts]
        if not keys:
            return {}
        rows = connection.execute(statements.TRANSACTIONS_BY_KEY, (msgspec.json.encode(keys).decode(),)).fetchall()
        found = [transaction_from_row(row) for row in rows]
        return {(row.account_id, str(row.idempotency_key)): row for row in found}


def _prefetch(
    connection: sqlite3.Connection, needs: BatchNeeds, accounts: Mapping[str, Account], clock: int
) -> dict[str, PriorTransactions]:
    """Add the holds that the commands need to the accounts, and read the prior transactions that they name."""
    prefetch = prefetch_after_lock(needs, accounts, clock=clock)
    by_no = {account.account_no: account for account in accounts.values()}
    found = [
        (one.account_no, document)
        for one in prefetch.open_holds
        for query, values in ((statements.DUE_HOLDS, (one.due_by,)), (statements.NEXT_HOLDS, (one.due_by, one.beyond)))
        for (document,) in connection.execute(query, (one.account_no, *values))
    ]
    found += [
        (key[0], document) for key in prefetch.holds for (document,) in connection.execute(statements.HOLD_BY_SEQ, key)
    ]
    for number, document in found:
        hold = hold_from_document(document)
        by_no[number].holds[hold.id] = hold
    rows = _read_transactions(connection, prefetch.past)
    rows += _read_transactions(connection, source_grant_keys(needs, accounts, rows))
    rows += _read_transactions(connection, replaced_grant_keys(rows))
    rows += scan_revoked_grants(needs, accounts, rows, lambda scans: _scan_texts(connection, scans))
    return group_prior_transactions(needs, accounts, rows)


def _read_transactions(connection: sqlite3.Connection, keys: Iterable[RowKey]) -> list[Transaction]:
    """These transactions and those about them."""
    return [
        transaction_from_row(row)
        for key in keys
        for query in (statements.TRANSACTION_BY_SEQ, statements.TRANSACTIONS_ABOUT)
        for row in connection.execute(query, key)
    ]


def _scan_texts(connection: sqlite3.Connection, scans: Iterable[Scan]) -> list[Transaction]:
    """The transactions that have one of the words in their texts."""
    return [
        transaction_from_row(row)
        for scan in scans
        for word in scan.words
        for row in connection.execute(statements.TRANSACTIONS_CONTAINING, (scan.account_no, scan.above, word))
    ]


def _update(connection: sqlite3.Connection, accounts: list[tuple[Any, ...]]) -> None:
    updated = 0
    for statement, values in in_chunks(update_accounts, accounts):
        updated += connection.execute(statement, values).rowcount
    if updated != len(accounts):
        raise RowRejectedError(f"{len(accounts) - updated} of {len(accounts)} accounts are gone")
