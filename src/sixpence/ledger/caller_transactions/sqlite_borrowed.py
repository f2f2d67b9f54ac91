"""A borrowed SQLite connection: the DBAPI connection that a caller's SQLAlchemy uses over the writer's connection.

The loan ends with its transaction: after a commit, a rollback or its time limit every statement is refused, so that
none runs outside a transaction or in the next batch. All rows of a statement are fetched at once, so that no cursor
stays open when the writer takes the connection back. Not here: when the writer lends it (`sqlite_loan`).
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sixpence.ledger.caller_transactions import sqlite_guard

_ENDED = "The transaction that this connection was lent for has ended. Begin another: credits.transaction()."
_FORBIDDEN = (
    "The connection is lent and goes back to the writer: no temporary tables, no ATTACH and no PRAGMA that changes it."
)
_INTERRUPT_SECONDS = 0.05


class LoanEndedError(sqlite3.OperationalError):
    """The loan's transaction has ended, and the writer has its connection back."""


class ForbiddenStatementError(sqlite3.OperationalError):
    """The statement would change the connection for the writer."""


class BorrowedConnection:
    """A DBAPI connection over one open transaction of the writer; any thread may use it, one at a time."""

    def __init__(self, connection: sqlite3.Connection, *, owner: object) -> None:
        self.owner = owner
        self._connection = connection
        self._lock = threading.RLock()
        self._open = True
        # SQLAlchemy rolls a new connection back first, which must not end the transaction begun for the borrower.
        self._handed_over = False
        connection.set_authorizer(sqlite_guard.authorize)

    @property
    def open(self) -> bool:
        """Whether the transaction is open."""
        return self._open

    def hand_over(self) -> None:
        """From now on the borrower's commit and rollback end the transaction."""
        self._handed_over = True

    @contextmanager
    def lock(self) -> Iterator[sqlite3.Connection]:
        """Hold the writer's connection for one thread, in its transaction; raises `LoanEndedError` after its end."""
        with self._lock:
            if not self._open:
                raise LoanEndedError(_ENDED)
            try:
                yield self._connection
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_AUTH:
                    raise ForbiddenStatementError(_FORBIDDEN) from error
                raise
            finally:
                # SQLite ends a transaction after some errors, and a borrower may end it by a statement.
                if not self._connection.in_transaction:
                    self._open = False

    def take_back(self) -> bool:
        """End the loan and roll back an open transaction; returns whether there was one."""
        try:
            return self.roll_back_open()
        finally:
            self._connection.set_authorizer(None)

    def roll_back_open(self) -> bool:
        """Roll back an open transaction, so that nothing can commit it; returns whether there was one."""
        while not self._lock.acquire(timeout=_INTERRUPT_SECONDS):
            self._connection.interrupt()
        try:
            return self._end("ROLLBACK")
        finally:
            self._lock.release()

    def cursor(self) -> "BorrowedCursor":
        """A cursor over the transaction."""
        return BorrowedCursor(self)

    def commit(self) -> None:
        """Commit, which ends the loan; raises `LoanEndedError` when it has already ended."""
        if self._handed_over:
            with self.lock():
                self._end("COMMIT")

    def rollback(self) -> None:
        """Roll back, which ends the loan; does nothing after its end."""
        if self._handed_over:
            with self._lock:
                self._end("ROLLBACK")

    def close(self) -> None:
        """Do nothing: the writer closes its connection."""

    def create_function(self, *arguments: Any, **settings: Any) -> None:
        """Create an SQL function, as SQLAlchemy does for every connection."""
        self._connection.create_function(*arguments, **settings)

    def _end(self, statement: str) -> bool:
        was_open = self._open and self._connection.in_transaction
        if was_open:
            self._connection.execute(statement)
        self._open = False
        return was_open


class BorrowedCursor:
    """A cursor that fetches all rows when its statement runs."""

    arraysize = 1

    def __init__(self, connection: BorrowedConnection) -> None:
        self._connection = connection
        self._rows: Iterator[Any] = iter(())
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, statement: str, parameters: Any = ()) -> "BorrowedCursor":
        """Run a statement."""
        with self._connection.lock() as connection:
            self._take(connection.execute(statement, parameters))
        return self

    def executemany(self, statement: str, parameters: Iterable[Any]) -> "BorrowedCursor":
        """Run a statement once per set of parameters."""
        with self._connection.lock() as connection:
            self._take(connection.executemany(statement, parameters))
        return self

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """The next `size` rows."""
        return list(islice(self._rows, self.arraysize if size is None else size))

    def fetchall(self) -> Sequence[Any]:
        """All remaining rows."""
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        """Drop the rows."""
        self._rows = iter(())

    def _take(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = iter(cursor.fetchall())
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()
