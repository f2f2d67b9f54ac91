"""A ledger: one database with its writer and its readers, opened at first use in each process. The package's door.

Commands go to the writer; reads, and transactions beside the writer's, go to the database. Not here: the open database
with its threads and connections (`open_database`).
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog
from sixpence.core.catalog.from_python import check_catalog
from sixpence.core.errors import DatabaseUnavailableError, ServiceClosedError
from sixpence.ledger.caller_transactions.sqlite import SQLiteCallerTransactions
from sixpence.ledger.database import catalogs, migrate
from sixpence.ledger.database.engines import (
    DatabaseAddress,
    PostgresServer,
    SQLiteFile,
    callers_engine,
    parse_database_url,
    reading_engine,
    server_clock,
    writing_engine,
)
from sixpence.ledger.open_database import OpenDatabase
from sixpence.ledger.sqlite.forking import pause_at_forks
from sixpence.ledger.sqlite.memory import InMemoryStore, Memory
from sixpence.ledger.sqlite.store import SQLiteStore, system_clock
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.store import Store
from sixpence.ledger.writer.writer import BATCH_SIZE_MAX, QUEUE_SIZE_MAX, WAIT_SECONDS_MAX, Writer

if TYPE_CHECKING:
    from sixpence.ledger.caller_transactions.postgres import PostgresCallerTransactions

T = TypeVar("T")
Clock = Callable[[], int]
# PostgreSQL runs two batches at once, so that one is prepared while the other waits for the server.
BATCHES_IN_FLIGHT = 2


class Limits(msgspec.Struct, frozen=True):
    """Limits of the writer: queued commands, commands in a batch, and a command's wait (seconds) before its refusal.

    `batches_in_flight` is the number of batches that run at the same time on PostgreSQL.
    """

    queue_size_max: int = QUEUE_SIZE_MAX
    batch_size_max: int = BATCH_SIZE_MAX
    wait_seconds_max: float = WAIT_SECONDS_MAX
    batches_in_flight: int = BATCHES_IN_FLIGHT


class Ledger:
    """The credits in the database at `url`, or in a `Memory`. Nothing is opened before the first use.

    `clock` (microseconds) replaces the database's clock. Raises `CatalogError` for an invalid catalog, even if the
    database already has one.
    """

    def __init__(
        self,
        url: str | Memory,
        *,
        catalog: Catalog = DEFAULT_CATALOG,
        limits: Limits | None = None,
        clock: Clock | None = None,
        unsafe_durability: bool = False,
    ) -> None:
        self.address: DatabaseAddress | Memory = url if isinstance(url, Memory) else parse_database_url(url)
        check_catalog(catalog)
        self._catalog = catalog
        self._limits = limits or Limits()
        self._clock = clock
        self._unsafe_durability = unsafe_durability
        self._opening = threading.Lock()
        self._opened: OpenDatabase | None = None
        self._closed = False
        pause_at_forks(self)

    # Commands.

    async def submit(self, request: Request) -> Accepted:
        """Run a command through the writer; raises its refusal."""
        opened = await self._ready()
        return await opened.writer.submit(request)

    def submit_and_wait(self, request: Request) -> Accepted:
        """Like `submit`, blocking this thread."""
        return self._open().writer.submit_and_wait(request)

    # Reads, and transactions beside the writer's.

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run the job on a read-only connection."""
        opened = await self._ready()
        return await asyncio.wrap_future(opened.read(job))

    def read_and_wait(self, job: Callable[[Connection], T]) -> T:
        """Like `read`, blocking this thread."""
        return self._open().read(job).result()

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run the job in a transaction of its own, committed when it returns and rolled back when it raises."""
        opened = await self._ready()
        return await asyncio.shield(asyncio.wrap_future(opened.write(job)))

    def write_and_wait(self, job: Callable[[Connection], T]) -> T:
        """Like `write`, blocking this thread."""
        return self._open().write(job).result()

    async def caller_transactions(self) -> "PostgresCallerTransactions | SQLiteCallerTransactions":
        """The object that runs commands inside callers' transactions, and begins transactions for callers."""
        return (await self._ready()).caller_transactions

    def caller_transactions_and_wait(self) -> "PostgresCallerTransactions | SQLiteCallerTransactions":
        """Like `caller_transactions`, blocking this thread."""
        return self._open().caller_transactions

    # Opening, closing and forking.

    @property
    def waiting(self) -> int:
        """The number of queued commands."""
        return 0 if self._opened is None else self._opened.writer.waiting

    @property
    def wait_seconds(self) -> float:
        """How long a new command will probably wait for its batch."""
        return 0.0 if self._opened is None else self._opened.writer.wait_seconds

    def now(self, connection: Connection) -> int:
        """The time of a read on this connection, in microseconds."""
        return self.choose_now(server_clock(connection) if self._clock is None else None)

    def choose_now(self, server: int | None) -> int:
        """The time in microseconds, by the ledger's `clock`, else `server` (the database's time), else this process."""
        if self._clock is not None:
            return self._clock()
        return system_clock() if server is None else server

    def open(self) -> None:
        """Open the database now instead of at its first use, so that its problems show at once."""
        self._open()

    def close(self) -> None:
        """Finish the queued work and close every connection; later calls are refused."""
        with self._opening:
            self._closed = True
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def pause_for_fork(self) -> None:
        """Pause while the process forks (`sqlite.forking`)."""
        self._opening.acquire()
        if self._opened is not None:
            self._opened.pause_for_fork()

    def resume_after_fork(self) -> None:
        """Continue after the fork; a child has none of its parent's threads and opens the database again."""
        if self._opened is not None and self._opened.pid != os.getpid():
            self._opened = None
        elif self._opened is not None:
            self._opened.resume_after_fork()
        self._opening.release()

    async def _ready(self) -> OpenDatabase:
        """The open database, opened on another thread so that the event loop is not blocked."""
        opened = self._opened
        return await asyncio.to_thread(self._open) if opened is None else opened

    def _open(self) -> OpenDatabase:
        with self._opening:
            if self._closed:
                raise ServiceClosedError
            if self._opened is None:
                address = self.address
                if isinstance(address, PostgresServer):
                    self._opened = self._open_postgres(address)
                else:
                    self._opened = self._open_sqlite(address)
            return self._opened

    def _open_sqlite(self, address: SQLiteFile | Memory) -> OpenDatabase:
        clock = self._clock or system_clock
        store = (
            InMemoryStore(address, clock=clock)
            if isinstance(address, Memory)
            else SQLiteStore(address.path, clock=clock)
        )
        try:
            migrate.upgrade_sqlite(store.connection())
            store.transact(lambda c: catalogs.apply_first(c, self._catalog, now=clock()))
        except sqlite3.Error as error:
            store.close()
            raise DatabaseUnavailableError from error
        except BaseException:
            store.close()
            raise
        reads = address if isinstance(address, Memory) else reading_engine(address)
        opened = OpenDatabase(self._writer([store]), store, reads, None)
        opened.caller_transactions = SQLiteCallerTransactions(
            store, opened.run_on_writer, seconds_max=self._limits.wait_seconds_max
        )
        return opened

    def _open_postgres(self, address: PostgresServer) -> OpenDatabase:
        reads, writes = reading_engine(address), writing_engine(address)
        from sixpence.ledger.caller_transactions.postgres import PostgresCallerTransactions
        from sixpence.ledger.postgres.store import PostgresStore  # the driver is an extra

        def store() -> PostgresStore:
            return PostgresStore(address.conninfo, clock=self._clock, unsafe_durability=self._unsafe_durability)

        stores = [store() for _ in range(self._limits.batches_in_flight)]
        try:
            with reads.connect() as connection:
                migrate.check_postgres(connection)
            with writes.begin() as connection:
                catalogs.apply_first(connection, self._catalog, now=self.now(connection))
            stores[0].check()
        except BaseException as error:
            reads.dispose()
            writes.dispose()
            if isinstance(error, DBAPIError):
                raise DatabaseUnavailableError from error
            raise
        opened = OpenDatabase(self._writer(stores), stores[0], reads, writes)
        wait = self._limits.wait_seconds_max
        engine = callers_engine(address, wait_seconds_max=wait)
        opened.caller_transactions = PostgresCallerTransactions(
            engine, opened.read, clock=self._clock, wait_seconds_max=wait
        )
        return opened

    def _writer(self, stores: Sequence[Store]) -> Writer:
        limits = self._limits
        return Writer(
            stores,
            queue_size_max=limits.queue_size_max,
            batch_size_max=limits.batch_size_max,
            wait_seconds_max=limits.wait_seconds_max,
        )
