"""Own transactions on SQLite: on a connection that the writer lends for a while, in the same process.

Not here: whose turn it is (`turns`), what the borrower sees (`lent`), what a batch asks of SQLite (`ledger.sqlite`).
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sixpence.core.errors import QueueFullError, TransactionEndedError
from sixpence.ledger.caller_transactions.accepted_connections import is_async, name_of, refused
from sixpence.ledger.caller_transactions.async_engine import async_engine
from sixpence.ledger.caller_transactions.run_command import run_in
from sixpence.ledger.caller_transactions.sqlite_lent import LentConnection, LoanEndedError
from sixpence.ledger.caller_transactions.sqlite_turn import RunJob, Turn, begin_turn
from sixpence.ledger.sqlite.store import SQLiteStore
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.store import Append, Asked, ConnectionLostError, Loaded

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_REMEDY = "On SQLite the writer lends one: `with credits.transaction() as connection`."


class OwnOnSQLite:
    """The callers' transactions on a file; each keeps everything else waiting, for `seconds_max` at most."""

    def __init__(self, store: SQLiteStore, run_job: RunJob, *, seconds_max: float) -> None:
        self._store = store
        self._run_job = run_job
        self._seconds_max = seconds_max
        # One is enough: one connection is lent at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sixpence-own")

    async def submit(self, connection: object, request: Request) -> Accepted:
        """Run a command on a lent `AsyncConnection`; raises its refusal."""
        if not is_async(connection):
            raise refused(f"is {name_of(connection)}, and no AsyncConnection that the writer lent. {_REMEDY}")
        lent = await connection.run_sync(self._lent_by)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._submit, lent, request)
        except asyncio.CancelledError:
            # The thread may have decided it already: whoever was not told must not commit it.
            lent.give_up()
            raise

    def submit_and_wait(self, connection: object, request: Request) -> Accepted:
        """Run a command on a lent connection; raises its refusal."""
        if not isinstance(connection, Connection):
            raise refused(f"is {name_of(connection)}, and no connection that the writer lent. {_REMEDY}")
        return self._submit(self._lent_by(connection), request)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """The writer's connection in a transaction: committed at the end of the block, undone by what it raises.

        Raises `QueueFullError` when the writer has no turn in time, and `TransactionEndedError` when the block took so
        long that it was undone.
        """
        turn = begin_turn(self._run_job, self._store, seconds_max=self._seconds_max)
        try:
            lent = turn.wait(self._seconds_max)
            engine = create_engine("sqlite://", creator=lambda: lent, poolclass=NullPool, hide_parameters=True)
            with _told_when_ended(turn), engine.connect() as connection:
                lent.begin()
                with connection.begin():
                    yield connection
        finally:
            turn.end()

    @asynccontextmanager
    async def transaction_async(self) -> "AsyncIterator[AsyncConnection]":
        """The same for a caller on an event loop; needs `aiosqlite`."""
        engine = async_engine("sqlite+aiosqlite://", async_creator=lambda: _on_a_thread(lent))
        turn = begin_turn(self._run_job, self._store, seconds_max=self._seconds_max)
        try:
            try:
                lent: LentConnection = await asyncio.wait_for(asyncio.wrap_future(turn.granted), self._seconds_max)
            except TimeoutError:
                raise QueueFullError from None
            with _told_when_ended(turn):
                async with engine.connect() as connection:
                    lent.begin()
                    async with connection.begin():
                        yield connection
        finally:
            turn.end()

    def close(self) -> None:
        """End the thread; the connection is the writer's."""
        self._thread.shutdown(wait=False)

    def _submit(self, lent: LentConnection, request: Request) -> Accepted:
        try:
            with lent.using() as connection:
                return run_in(_Part(self._store, connection), request)
        except LoanEndedError as error:
            raise TransactionEndedError from error

    def _lent_by(self, connection: Connection) -> LentConnection:
        """What is lent behind a SQLAlchemy connection; raises `InvalidInputError` for one not lent by this writer."""
        if connection.closed:
            raise refused(f"is closed. {_REMEDY}")
        driver: Any = connection.connection.driver_connection
        lent = getattr(driver, "_conn", driver)
        if not isinstance(lent, LentConnection) or lent.owner is not self._store:
            raise refused(f"is not one that the writer lent. {_REMEDY}")
        return lent


class _Part:
    """One command's part of the lent transaction, between a savepoint and its release."""

    def __init__(self, store: SQLiteStore, connection: sqlite3.Connection) -> None:
        self._store = store
        self._connection = connection

    def load(self, asked: Asked) -> Loaded:
        """Begin and read; the lent transaction has the whole file to itself."""
        try:
            self._connection.execute("SAVEPOINT sixpence")
        except sqlite3.Error as error:
            raise ConnectionLostError(str(error)) from error
        return self._store.read(asked)

    def append(self, append: Append) -> None:
        """Write, and leave what was written to the lent transaction."""
        self._store.write(append, end="RELEASE sixpence")

    def abandon(self) -> None:
        """Undo what was begun."""
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK TO sixpence")
            self._connection.execute("RELEASE sixpence")


@contextmanager
def _told_when_ended(turn: Turn) -> Iterator[None]:
    """Say what has happened to a borrower who meets a transaction that ended before its block did."""
    try:
        yield
    except DBAPIError as error:
        if turn.too_long or isinstance(error.orig, LoanEndedError):
            raise TransactionEndedError from error
        raise


def _on_a_thread(lent: Any) -> Any:
    """The lent connection for an event loop: `aiosqlite` uses it on a thread of its own."""
    import aiosqlite  # no dependency of ours: only this needs it

    return aiosqlite.Connection(lambda: lent, iter_chunk_size=64)
