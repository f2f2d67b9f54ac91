"""Callers' transactions on SQLite: on the writer's connection, which it lends within the process for a limited time.

Not here: loans (`sqlite_loan`), borrowed connections (`sqlite_borrowed`), the statements of a batch (`ledger.sqlite`).
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
from sixpence.ledger.caller_transactions.accepted_connections import connection_error, describe, is_async
from sixpence.ledger.caller_transactions.async_engine import async_engine
from sixpence.ledger.caller_transactions.run_command import run_in_savepoint
from sixpence.ledger.caller_transactions.sqlite_borrowed import BorrowedConnection, LoanEndedError
from sixpence.ledger.caller_transactions.sqlite_loan import ConnectionLoan, RunJob, request_loan
from sixpence.ledger.sqlite.store import SQLiteStore, report_lost_connection
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_REMEDY = "On SQLite the writer lends one: `with credits.transaction() as connection`."


class SQLiteCallerTransactions:
    """Callers' transactions on a file; batches wait during each, for `seconds_max` at most."""

    def __init__(self, store: SQLiteStore, run_job: RunJob, *, seconds_max: float) -> None:
        self._store = store
        self._run_job = run_job
        self._seconds_max = seconds_max
        # One thread is enough: one connection is lent at a time.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sixpence-own")

    async def submit(self, connection: object, request: Request) -> Accepted:
        """Run a command on a borrowed `AsyncConnection`; raises its refusal."""
        if not is_async(connection):
            raise connection_error(f"is {describe(connection)}, and no AsyncConnection that the writer lent. {_REMEDY}")
        borrowed = await connection.run_sync(self._borrowed_behind)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._submit, borrowed, request)
        except asyncio.CancelledError:
            # The thread may have decided the command already. The caller does not know, so nothing may commit it.
            borrowed.roll_back_open()
            raise

    def submit_and_wait(self, connection: object, request: Request) -> Accepted:
        """Run a command on a borrowed connection; raises its refusal."""
        if not isinstance(connection, Connection):
            raise connection_error(f"is {describe(connection)}, and no connection that the writer lent. {_REMEDY}")
        return self._submit(self._borrowed_behind(connection), request)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Lend the writer's connection in a transaction: committed at the end of the block, rolled back when it raises.

        Raises `QueueFullError` when the writer does not lend it in time, and `TransactionEndedError` when the block
        exceeded the time limit and was rolled back.
        """
        loan = request_loan(self._run_job, self._store, seconds_max=self._seconds_max)
        try:
            borrowed = loan.wait(self._seconds_max)
            engine = create_engine("sqlite://", creator=lambda: borrowed, poolclass=NullPool, hide_parameters=True)
            with _translate_ended(loan), engine.connect() as connection:
                borrowed.hand_over()
                with connection.begin():
                    yield connection
        finally:
            loan.end()

    @asynccontextmanager
    async def transaction_async(self) -> "AsyncIterator[AsyncConnection]":
        """Like `transaction`, for a caller on an event loop; needs `aiosqlite`."""
        engine = async_engine("sqlite+aiosqlite://", async_creator=lambda: _aiosqlite_connection(borrowed))
        loan = request_loan(self._run_job, self._store, seconds_max=self._seconds_max)
        try:
            try:
                borrowed: BorrowedConnection = await asyncio.wait_for(
                    asyncio.wrap_future(loan.granted), self._seconds_max
                )
            except TimeoutError:
                raise QueueFullError from None
            with _translate_ended(loan):
                async with engine.connect() as connection:
                    borrowed.hand_over()
                    async with connection.begin():
                        yield connection
        finally:
            loan.end()

    def close(self) -> None:
        """End the thread; the writer closes the connection."""
        self._thread.shutdown(wait=False)

    def _submit(self, borrowed: BorrowedConnection, request: Request) -> Accepted:
        try:
            with borrowed.lock() as connection:
                return run_in_savepoint(_SQLiteSavepoint(self._store, connection), request)
        except LoanEndedError as error:
            raise TransactionEndedError from error

    def _borrowed_behind(self, connection: Connection) -> BorrowedConnection:
        """The borrowed connection behind SQLAlchemy's; raises `InvalidInputError` for one not lent by this writer."""
        if connection.closed:
            raise connection_error(f"is closed. {_REMEDY}")
        driver: Any = connection.connection.driver_connection
        borrowed = getattr(driver, "_conn", driver)
        if not isinstance(borrowed, BorrowedConnection) or borrowed.owner is not self._store:
            raise connection_error(f"is not one that the writer lent. {_REMEDY}")
        return borrowed


class _SQLiteSavepoint:
    """One command's savepoint in the borrowed transaction."""

    def __init__(self, store: SQLiteStore, connection: sqlite3.Connection) -> None:
        self._store = store
        self._connection = connection

    def load(self, needs: BatchNeeds) -> Loaded:
        """Set the savepoint and read; the transaction has the whole file locked."""
        with report_lost_connection():
            self._connection.execute("SAVEPOINT sixpence")
        return self._store.read(needs)

    def append(self, append: Append) -> None:
        """Write, and release the savepoint."""
        self._store.write(append, end="RELEASE sixpence")

    def roll_back(self) -> None:
        """Roll back to the savepoint."""
        with suppress(sqlite3.Error):
            self._connection.execute("ROLLBACK TO sixpence")
            self._connection.execute("RELEASE sixpence")


@contextmanager
def _translate_ended(loan: ConnectionLoan) -> Iterator[None]:
    """Raise `TransactionEndedError` in a borrower's block whose transaction has already ended."""
    try:
        yield
    except DBAPIError as error:
        if loan.timed_out or isinstance(error.orig, LoanEndedError):
            raise TransactionEndedError from error
        raise


def _aiosqlite_connection(borrowed: Any) -> Any:
    """The borrowed connection for an event loop: `aiosqlite` uses it on a thread of its own."""
    import aiosqlite  # not a dependency: only this needs it

    return aiosqlite.Connection(lambda: borrowed, iter_chunk_size=64)
