"""A SQLite connection while it is lent: what a caller's SQLAlchemy sees of the writer's own connection.

It ends with its transaction, whoever ends that: after a commit, a rollback or when its time is over every statement is
refused, so that none can run outside of a transaction or in the next batch. Rows come whole, so that no statement is
left half read when the writer has the connection back. Not here: whose turn it is (`turns`).
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from sixpence.ledger.caller_transactions import sqlite_guard

_ENDED = "The transaction that this connection was lent for has ended. Begin another: credits.transaction()."
_LASTING = (
    "The connection is lent and goes back to the writer: no temporary tables, no ATTACH and no PRAGMA that changes it."
)
_WAIT_SECONDS = 0.05


class LoanEndedError(sqlite3.OperationalError):
    """The transaction is over, and the connection the writer's again."""


class LastingChangeError(sqlite3.OperationalError):
    """The statement would change the connection for whoever has it next."""


class LentConnection:
    """A DBAPI connection over one open transaction of the writer's; any thread may use it, one at a time."""

    def __init__(self, connection: sqlite3.Connection, *, owner: object) -> None:
        self.owner = owner
        self._connection = connection
        self._lock = threading.RLock()
        self._open = True
        # Whoever begins with a connection rolls it back first; that must not end what was begun for them.
        self._begun = False
        connection.set_authorizer(sqlite_guard.answer)

    @property
    def open(self) -> bool:
        """Whether the transaction goes on."""
        return self._open

    def begin(self) -> None:
        """From now on commit and rollback are the borrower's."""
        self._begun = True

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The writer's connection, in its transaction and nobody else's meanwhile; raises when that has ended."""
        with self._lock:
            if not self._open:
                raise LoanEndedError(_ENDED)
            try:
                yield self._connection
            except sqlite3.DatabaseError as error:
                if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_AUTH:
                    raise LastingChangeError(_LASTING) from error
                raise
            finally:
                # SQLite ends a transaction by itself where it cannot go on, and a borrower may by a statement.
                if not self._connection.in_transaction:
                    self._open = False

    def take_back(self) -> bool:
        """End the loan for the writer, undoing a transaction that is still open; says whether there was one."""
        try:
            return self.give_up()
        finally:
            self._connection.set_authorizer(None)

    def give_up(self) -> bool:
        """Undo a transaction that is still open, so that none can commit it; says whether there was one."""
        while not self._lock.acquire(timeout=_WAIT_SECONDS):
            self._connection.interrupt()
        try:
            return self._end("ROLLBACK")
        finally:
            self._lock.release()

    def cursor(self) -> "LentCursor":
        """A cursor over the transaction."""
        return LentCursor(self)

    def commit(self) -> None:
        """Commit, which ends the loan; raises when its time was over before."""
        if self._begun:
            with self.using():
                self._end("COMMIT")

    def rollback(self) -> None:
        """Undo everything, which ends the loan; does nothing where it has ended."""
        if self._begun:
            with self._lock:
                self._end("ROLLBACK")

    def close(self) -> None:
        """Nothing: the connection is the writer's."""

    def create_function(self, *arguments: Any, **settings: Any) -> None:
        """A function for statements, as SQLAlchemy brings one."""
        self._connection.create_function(*arguments, **settings)

    def _end(self, statement: str) -> bool:
        was_open = self._open and self._connection.in_transaction
        if was_open:
            self._connection.execute(statement)
        self._open = False
        return was_open


class LentCursor:
    """A cursor whose rows are all there once its statement has run."""

    arraysize = 1

    def __init__(self, connection: LentConnection) -> None:
        self._connection = connection
        self._rows: Iterator[Any] = iter(())
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    def execute(self, statement: str, parameters: Any = ()) -> "LentCursor":
        """Run a statement."""
        with self._connection.using() as connection:
            self._take(connection.execute(statement, parameters))
        return self

    def executemany(self, statement: str, parameters: Iterable[Any]) -> "LentCursor":
        """Run a statement with each of these."""
        with self._connection.using() as connection:
            self._take(connection.executemany(statement, parameters))
        return self

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> Sequence[Any]:
        """The next so many rows."""
        return list(islice(self._rows, self.arraysize if size is None else size))

    def fetchall(self) -> Sequence[Any]:
        """All rows that are left."""
        return list(self._rows)

    def __iter__(self) -> Iterator[Any]:
        return self._rows

    def close(self) -> None:
        """Forget the rows."""
        self._rows = iter(())

    def _take(self, cursor: sqlite3.Cursor) -> None:
        self.description = cursor.description
        self._rows = iter(cursor.fetchall())
        self.rowcount, self.lastrowid = cursor.rowcount, cursor.lastrowid
        cursor.close()
