"""The store over a SQLite file: one writer connection, BEGIN IMMEDIATE, WAL, synchronous FULL.

The file's own lock takes the place of locks on accounts: whoever has begun owns them all.
"""

import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Engine

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import BrokenLedgerError, DatabaseSetupError
from sixpence.ledger.database import migrate
from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.database.engines import lent_engine
from sixpence.ledger.database.rows import (
    ACCOUNT_COLUMNS,
    account_from_row,
    account_to_row,
    hold_from_document,
    transaction_from_row,
    transaction_to_row,
)
from sixpence.ledger.sqlite import statements
from sixpence.ledger.sqlite.statements import in_parts, insert_rows, update_accounts
from sixpence.ledger.writer.prefetch import Place, grants_of, needed, past_of, roots_of
from sixpence.ledger.writer.revoked_grants import Scan, read_revoked
from sixpence.ledger.writer.store import Append, Asked, ConnectionLostError, Loaded, RowRejectedError

T = TypeVar("T")
BUSY_SECONDS = 5.0

_making = threading.Lock()
_HEAD = ACCOUNT_COLUMNS.index("head")

_read_accounts = msgspec.json.Decoder(list[tuple[Any, ...]]).decode


def connect(path: str) -> sqlite3.Connection:
    """A connection that writes: durable at every commit, and never inside a transaction that Python began by itself.

    Raises `DatabaseSetupError` for a file that is not Sixpence's alone, which is left as it is.
    """
    with ExitStack() as undone:
        try:
            _make_private(path)
            check_one_name(path)
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            undone.callback(connection.close)
            # Before the first pragma, which changes the file.
            migrate.refuse_foreign_tables(path, migrate.sqlite_tables(connection))
            _keep_a_log(connection)
        except sqlite3.DatabaseError as error:
            raise damaged(path, error) or _cannot_be_opened(path, str(error)) from error
        except OSError as error:
            raise _cannot_be_opened(path, str(error.strerror)) from error
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        undone.pop_all()
    return connection


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on; while another process does that, SQLite refuses at once instead of waiting."""
    until = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def check_one_name(path: str) -> None:
    """Raise `DatabaseSetupError` for a file with a second hard link.

    SQLite finds what was committed last, its write-ahead log, by the file's name; by another name it is lost.
    """
    found = os.stat(path)
    names = found.st_nlink
    if stat.S_ISREG(found.st_mode) and names > 1:
        problem = (
            f"The SQLite file '{path}' has {names} names (hard links), and charges made by one are lost by another."
        )
        raise DatabaseSetupError(problem, "Remove the others, or copy the file to a new name and use that.")


def damaged(path: str, error: BaseException | None) -> DatabaseSetupError | None:
    """What to say when the error means that the content is at fault; None when it means something else."""
    # The lowest byte is the error, the others are its details.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return None
    problem = f"The SQLite file '{path}' is damaged or not a SQLite file ({error})."
    return DatabaseSetupError(problem, "Restore a copy of it, or name another file.")


def system_clock() -> int:
    """The machine's time in microseconds since 1970 UTC."""
    return time.time_ns() // 1000


class SQLiteStore:
    """A batch on a SQLite file."""

    def __init__(self, path: str, *, clock: Callable[[], int] = system_clock) -> None:
        self._path = path
        self._clock = clock
        self._catalogs = CatalogCache()
        self._connection: sqlite3.Connection | None = None
        self._lent: Engine | None = None

    def connection(self) -> sqlite3.Connection:
        """The store's own connection, opened at first use."""
        if self._connection is None:
            self._connection = connect(self._path)
        return self._connection

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one transaction on this connection, beside the batches; what it raises undoes it."""
        connection = self.connection()
        if self._lent is None:
            self._lent = lent_engine(connection)
        with self._lent.connect() as lent:
            connection.execute("BEGIN IMMEDIATE")
            try:
                answer = job(lent)
                connection.execute("COMMIT")
            except BaseException:
                self.abandon()
                raise
        return answer

    def load(self, asked: Asked) -> Loaded:
        """Begin and read; with BEGIN IMMEDIATE nobody else writes until the batch ends."""
        try:
            self.connection().execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise ConnectionLostError(str(error)) from error
        return self.read(asked)

    def read(self, asked: Asked) -> Loaded:
        """Read what a batch needs, in the transaction that has begun."""
        try:
            connection = self.connection()
            accounts, broken = self._accounts(connection, asked)
            clock = self._clock()
            past = _read_needed(connection, asked, accounts, clock)
            return Loaded(
                clock=clock,
                priced_by=self._catalogs.current(
                    connection.execute(statements.VERSION).fetchone()[0],
                    lambda above, up_to: connection.execute(statements.CATALOGS, (above, up_to)),
                ),
                accounts=accounts,
                replays=self._replays(connection, asked, accounts),
                broken=broken,
                past=past,
                permitted=frozenset(
                    p for p in asked.permits if connection.execute(statements.PERMITTED, (p,)).fetchone()
                ),
            )
        except sqlite3.Error as error:
            raise ConnectionLostError(str(error)) from error

    def append(self, append: Append) -> None:
        """Write the batch and commit it."""
        self.write(append, end="COMMIT")

    def write(self, append: Append, *, end: str) -> None:
        """Write the batch in the transaction that has begun, and end with a statement."""
        connection = self.connection()
        try:
            for statement, values in in_parts(insert_rows, [transaction_to_row(row) for row in append.rows]):
                connection.execute(statement, values)
            _update(connection, [msgspec.structs.astuple(account_to_row(account)) for account in append.accounts])
            connection.executemany(statements.KEEP_HOLD, [msgspec.structs.astuple(hold) for hold in append.holds])
            connection.executemany(statements.UNMAKE, [(number,) for number in append.unmade])
            connection.execute(statements.OUTBOX, (append.touched(), append.clock))
            connection.execute(end)
        except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
            raise RowRejectedError(str(error)) from error
        except sqlite3.Error as error:
            raise ConnectionLostError(str(error)) from error

    def abandon(self) -> None:
        """Undo what was begun; a connection that cannot even do that is given up."""
        if self._connection is not None and self._connection.in_transaction:
            try:
                self._connection.execute("ROLLBACK")
            except sqlite3.Error:
                self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Look for the row on a new connection; the file's lock is taken so that nothing is under way meanwhile."""
        self.close()
        try:
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute(statements.COMMITTED, (row.account_no, row.seq, row.hash)).fetchone()
            connection.execute("ROLLBACK")
        except (sqlite3.Error, DatabaseSetupError) as error:
            raise ConnectionLostError(str(error)) from error
        return found is not None

    def close(self) -> None:
        """Close the connection; SQLite undoes what was not committed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._lent = None

    def _accounts(self, connection: sqlite3.Connection, asked: Asked) -> tuple[dict[str, Account], frozenset[str]]:
        making = set(asked.making)
        broken = set()

        def load(by_no: Mapping[int, str]) -> dict[int, Account]:
            for number, account_id in by_no.items():
                if account_id in making:
                    connection.execute(statements.MAKE, (number, account_id))
            numbers = msgspec.json.encode(list(by_no)).decode()
            found = {}
            for row in _read_accounts(connection.execute(statements.LOAD, (numbers,)).fetchone()[0]):
                head = bytes.fromhex(row[_HEAD]) or None  # hex() makes no text of nothing
                try:
                    found[row[0]] = account_from_row((*row[:_HEAD], head, *row[_HEAD + 1 :]))
                except BrokenLedgerError:
                    broken.add(by_no[row[0]])
            return found

        return load_by_id(asked.account_ids, load), frozenset(broken)

    def _replays(
        self, connection: sqlite3.Connection, asked: Asked, accounts: Mapping[str, Account]
    ) -> dict[tuple[str, str], Transaction]:
        places = [[accounts[name].account_no, key] for name, key in asked.keys if name in accounts]
        if not places:
            return {}
        rows = connection.execute(statements.KEYS, (msgspec.json.encode(places).decode(),)).fetchall()
        found = [transaction_from_row(row) for row in rows]
        return {(row.account_id, str(row.idempotency_key)): row for row in found}


def _read_needed(
    connection: sqlite3.Connection, asked: Asked, accounts: Mapping[str, Account], clock: int
) -> dict[str, Past]:
    """Give the accounts the holds that the commands need, and read the past that they name."""
    wanted = needed(asked, accounts, clock=clock)
    by_no = {account.account_no: account for account in accounts.values()}
    found = [
        (one.account_no, document)
        for one in wanted.open_holds
        for query, values in ((statements.DUE, (one.due_by,)), (statements.NEXT, (one.due_by, one.beyond)))
        for (document,) in connection.execute(query, (one.account_no, *values))
    ]
    found += [
        (place[0], document) for place in wanted.holds for (document,) in connection.execute(statements.HOLD, place)
    ]
    for number, document in found:
        hold = hold_from_document(document)
        by_no[number].holds[hold.id] = hold
    rows = _past_rows(connection, wanted.past)
    rows += _past_rows(connection, grants_of(asked, accounts, rows))
    rows += _past_rows(connection, roots_of(rows))
    rows += read_revoked(asked, accounts, rows, lambda scans: _rows_naming(connection, scans))
    return past_of(asked, accounts, rows)


def _past_rows(connection: sqlite3.Connection, places: Iterable[Place]) -> list[Transaction]:
    """The transactions in these places and those about them."""
    return [
        transaction_from_row(row)
        for place in places
        for query in (statements.PAST, statements.ABOUT)
        for row in connection.execute(query, place)
    ]


def _rows_naming(connection: sqlite3.Connection, scans: Iterable[Scan]) -> list[Transaction]:
    """The transactions that have one of the words in their texts."""
    return [
        transaction_from_row(row)
        for scan in scans
        for word in scan.words
        for row in connection.execute(statements.NAMING, (scan.account_no, scan.above, word))
    ]


def _make_private(path: str) -> None:
    """Make the file if it is not there, for its owner alone: it will hold e-mails and hashes of passwords."""
    # Closing a file undoes the locks that other connections of this process have on it.
    with _making, suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _cannot_be_opened(path: str, why: str) -> DatabaseSetupError:
    remedy = "Name a file in a folder that exists and can be written, or a SQLite file of Sixpence's."
    return DatabaseSetupError(f"The SQLite file '{path}' cannot be opened: {why}.", remedy)


def _update(connection: sqlite3.Connection, accounts: list[tuple[Any, ...]]) -> None:
    updated = 0
    for statement, values in in_parts(update_accounts, accounts):
        updated += connection.execute(statement, values).rowcount
    if updated != len(accounts):
        raise RowRejectedError(f"{len(accounts) - updated} of {len(accounts)} accounts are gone")
