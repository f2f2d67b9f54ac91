"""Own transactions on PostgreSQL: commands on a connection of the caller's, and transactions begun for a caller.

Not here: what one command does there (`savepoint`, `charge`).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sixpence.core.errors import DatabaseUnavailableError, InvalidInputError
from sixpence.ledger.caller_transactions.accepted_connections import checked_async, session_of
from sixpence.ledger.caller_transactions.async_engine import async_engine
from sixpence.ledger.caller_transactions.exclusive import alone_on
from sixpence.ledger.caller_transactions.postgres_savepoint import IDENTITY, Savepoint
from sixpence.ledger.caller_transactions.run_command import run_in
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres.batch import Session
from sixpence.ledger.postgres.statements import Row
from sixpence.ledger.writer.batch import Accepted, Request

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_AWAY = (OperationalError, InterfaceError, PoolTimeoutError)

Read = Callable[[Callable[[Connection], Row]], "Future[Row]"]
"""Begins a read on a connection of the ledger's own."""


class OwnOnPostgres:
    """The callers' transactions on a ledger's server; `engine` has the connections for those that are begun here."""

    def __init__(self, engine: Engine, read: Read, *, clock: Callable[[], int] | None, wait_seconds_max: float) -> None:
        self._engine = engine
        self._read = read
        self._clock = clock
        self._wait_seconds_max = wait_seconds_max
        self._catalogs = CatalogCache()
        self._identity: Row | None = None

    async def submit(self, connection: object, request: Request) -> Accepted:
        """Run a command on an `AsyncConnection` of the caller's; raises its refusal."""
        checked = checked_async(connection)
        identity = self._identity
        if identity is None:
            identity = await asyncio.wrap_future(self._read(_identity))
        accepted: Accepted = await checked.run_sync(self._submit, request, identity)
        return accepted

    def submit_and_wait(self, connection: object, request: Request) -> Accepted:
        """Run a command on a connection of the caller's that blocks; raises its refusal."""
        return self._submit(connection, request, self._identity or self._read(_identity).result())

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction for a caller: committed at the end of the block, undone by what the block raises."""
        try:
            connection = self._engine.connect()
        except _AWAY as error:
            raise DatabaseUnavailableError from error
        with connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def transaction_async(self) -> AsyncIterator["AsyncConnection"]:
        """The same for a caller on an event loop."""
        engine = async_engine(self._engine.url, isolation_level="READ COMMITTED")
        async with AsyncExitStack() as ended:
            try:
                connection = await ended.enter_async_context(engine.connect())
            except _AWAY as error:
                raise DatabaseUnavailableError from error
            async with connection.begin():
                yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _submit(self, connection: object, request: Request, identity: Row) -> Accepted:
        session = session_of(connection)
        with alone_on(session.held):
            return self._alone(session, request, identity)

    def _alone(self, session: Session, request: Request, identity: Row) -> Accepted:
        part = Savepoint(
            session,
            identity=identity,
            catalogs=self._catalogs,
            clock=self._clock,
            wait_seconds_max=self._wait_seconds_max,
        )
        try:
            accepted = run_in(part, request)
        except InvalidInputError:
            self._identity = None  # the credits may be elsewhere since: a copy that was put back
            raise
        self._identity = identity
        return accepted


def _identity(connection: Connection) -> Row:
    """Where the credits are."""
    return tuple(connection.exec_driver_sql(f"SELECT {IDENTITY}").one())
