"""Callers' transactions on PostgreSQL: commands on a caller's connection, and transactions begun for a caller.

Not here: how one command runs (`run_command`, `postgres_savepoint`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.caller_transactions.accepted_connections import check_async, to_session
from sixpence.ledger.caller_transactions.async_engine import async_engine
from sixpence.ledger.caller_transactions.exclusive import exclusive_use
from sixpence.ledger.caller_transactions.postgres_savepoint import IDENTITY, PostgresSavepoint
from sixpence.ledger.caller_transactions.run_command import run_in_savepoint
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.database.engines import report_unavailable
from sixpence.ledger.postgres.batch import Session
from sixpence.ledger.postgres.statements import Row
from sixpence.ledger.writer.batch import Accepted, Request

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

Read = Callable[[Callable[[Connection], Row]], "Future[Row]"]
"""Starts a read on a connection of the ledger."""


class PostgresCallerTransactions:
    """Callers' transactions on a ledger's server; `engine` has the connections for transactions begun here."""

    def __init__(self, engine: Engine, read: Read, *, clock: Callable[[], int] | None, wait_seconds_max: float) -> None:
        self._engine = engine
        self._read = read
        self._clock = clock
        self._wait_seconds_max = wait_seconds_max
        self._catalogs = CatalogCache()
        self._identity: Row | None = None

    async def submit(self, connection: object, request: Request) -> Accepted:
        """Run a command on the caller's `AsyncConnection`; raises its refusal."""
        checked = check_async(connection)
        identity = self._identity
        if identity is None:
            identity = await asyncio.wrap_future(self._read(_identity))
        accepted: Accepted = await checked.run_sync(self._submit, request, identity)
        return accepted

    def submit_and_wait(self, connection: object, request: Request) -> Accepted:
        """Run a command on the caller's blocking connection; raises its refusal."""
        return self._submit(connection, request, self._identity or self._read(_identity).result())

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin a transaction for a caller: committed at the end of the block, rolled back when the block raises."""
        with report_unavailable():
            connection = self._engine.connect()
        with connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def transaction_async(self) -> AsyncIterator["AsyncConnection"]:
        """Like `transaction`, for a caller on an event loop."""
        engine = async_engine(self._engine.url, isolation_level="READ COMMITTED")
        async with AsyncExitStack() as ended:
            with report_unavailable():
                connection = await ended.enter_async_context(engine.connect())
            async with connection.begin():
                yield connection

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def _submit(self, connection: object, request: Request, identity: Row) -> Accepted:
        session = to_session(connection)
        with exclusive_use(session.driver_connection):
            return self._run(session, request, identity)

    def _run(self, session: Session, request: Request, identity: Row) -> Accepted:
        savepoint = PostgresSavepoint(
            session,
            identity=identity,
            catalogs=self._catalogs,
            clock=self._clock,
            wait_seconds_max=self._wait_seconds_max,
        )
        try:
            accepted = run_in_savepoint(savepoint, request)
        except InvalidInputError:
            self._identity = None  # the tables may have been replaced, by a restored copy for example
            raise
        self._identity = identity
        return accepted


def _identity(connection: Connection) -> Row:
    """The server, database and tables of the credits."""
    return tuple(connection.exec_driver_sql(f"SELECT {IDENTITY}").one())
