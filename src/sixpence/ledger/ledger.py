"""A ledger: one database with its writer and its readers, opened at first use in the process that uses it.

Everything durable goes through here: commands to the writer, reads and the transactions beside it to the database.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import msgspec
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog
from sixpence.core.catalog.from_python import check_catalog
from sixpence.core.errors import DatabaseUnavailableError, QueueFullError, ServiceClosedError
from sixpence.ledger.caller_transactions.sqlite import OwnOnSQLite
from sixpence.ledger.database import catalogs, migrate
from sixpence.ledger.database.engines import (
    READERS,
    Place,
    PostgresServer,
    SQLiteFile,
    callers_engine,
    place_of,
    reading_engine,
    server_clock,
    writing_engine,
)
from sixpence.ledger.sqlite.forking import rest_when_forking
from sixpence.ledger.sqlite.memory import InMemoryStore, Memory
from sixpence.ledger.sqlite.store import SQLiteStore, system_clock
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.store import Store
from sixpence.ledger.writer.writer import BATCH_SIZE_MAX, QUEUE_SIZE_MAX, WAIT_SECONDS_MAX, Writer

if TYPE_CHECKING:
    from sixpence.ledger.caller_transactions.postgres import OwnOnPostgres

T = TypeVar("T")
Clock = Callable[[], int]
# On PostgreSQL two batches are in flight, which uses the time one of them waits for the server.
LANES = 2
# Reads and transactions beside the writer's that wait; beyond it they are refused at once, as commands are.
WAITING_MAX = 2_000


class Limits(msgspec.Struct, frozen=True):
    """How much may wait, how much goes into a batch, and how long a command waits (seconds) before it is refused.

    `lanes` is how many batches are in flight at once on PostgreSQL.
    """

    queue_size_max: int = QUEUE_SIZE_MAX
    batch_size_max: int = BATCH_SIZE_MAX
    wait_seconds_max: float = WAIT_SECONDS_MAX
    lanes: int = LANES


class _Opened:
    """What belongs to one process: threads, engines and connections. A forked child makes its own."""

    def __init__(self, writer: Writer, store: Store, reads: Engine | Memory, writes: Engine | None) -> None:
        self.pid = os.getpid()
        self.writer = writer
        self.store = store
        self.reads = reads
        self.writes = writes
        self.threads = ThreadPoolExecutor(READERS, thread_name_prefix="sixpence-reader")
        self._places = threading.BoundedSemaphore(READERS + WAITING_MAX)
        self._fork_over = threading.Event()
        self.own: OwnOnPostgres | OwnOnSQLite

    def read(self, job: Callable[[Connection], T]) -> "Future[T]":
        """Begin a read on a reader's thread; raises `QueueFullError` when as many wait as may."""
        return self._bounded(lambda: self.threads.submit(_read, self.reads, job))

    def write(self, job: Callable[[Connection], T]) -> "Future[T]":
        """Begin a transaction beside the writer's; raises as `read` does."""
        store, engine = self.store, self.writes
        if isinstance(store, SQLiteStore):
            return self._bounded(lambda: self.writer.run_job(lambda: _write_sqlite(store, job)))
        assert engine is not None
        return self._bounded(lambda: self.threads.submit(_write_postgres, engine, job))

    def turn(self, job: Callable[[], None]) -> "Future[None]":
        """Let the job run on the writer's thread between two batches; raises as `read` does."""
        return self._bounded(lambda: self.writer.run_job(job))

    def _bounded(self, begin: "Callable[[], Future[T]]") -> "Future[T]":
        if not self._places.acquire(blocking=False):
            raise QueueFullError
        future = begin()
        future.add_done_callback(lambda _: self._places.release())
        return future

    def rest(self) -> None:
        """Let the batch and the reads under way end, begin no others until `go_on`, and let go of a SQLite file."""
        if not isinstance(self.store, SQLiteStore):
            return
        # Each fork has an end of its own: a thread that is late for this one must not wait for the next.
        over = self._fork_over = threading.Event()
        resting = threading.Event()

        def rest_between_batches() -> None:
            self.store.close()
            resting.set()
            over.wait()

        job = self.writer.run_job(rest_between_batches)
        while not (job.done() or resting.wait(0.01)):
            pass  # a batch ends, or the writer does
        all_rest = threading.Barrier(READERS + 1)
        for _ in range(READERS):
            self.threads.submit(lambda: (all_rest.wait(), over.wait()))
        all_rest.wait()
        self.give_back()

    def give_back(self) -> None:
        """Close the connections that read; a memory has none beside the writer's."""
        if isinstance(self.reads, Engine):
            self.reads.dispose()

    def go_on(self) -> None:
        """Work again; the file is opened at its next use."""
        self._fork_over.set()


class Ledger:
    """The credits kept at `url`, or in a `Memory`. Nothing is opened before the first use.

    `clock` replaces the time (microseconds).

    Raises `CatalogError` for a catalog with problems, also where the database has one of its own.
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
        self.place: Place | Memory = url if isinstance(url, Memory) else place_of(url)
        check_catalog(catalog)
        self._catalog = catalog
        self._limits = limits or Limits()
        self._clock = clock
        self._unsafe_durability = unsafe_durability
        self._opening = threading.Lock()
        self._opened: _Opened | None = None
        self._closed = False
        rest_when_forking(self)

    # Commands.

    async def submit(self, request: Request) -> Accepted:
        """Run a command through the writer; raises its refusal."""
        opened = await self._ready()
        return await opened.writer.submit(request)

    def submit_and_wait(self, request: Request) -> Accepted:
        """The same, blocking this thread."""
        return self._open().writer.submit_and_wait(request)

    # Reads, and transactions beside the writer's.

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run the job on a connection that only reads."""
        opened = await self._ready()
        return await asyncio.wrap_future(opened.read(job))

    def read_and_wait(self, job: Callable[[Connection], T]) -> T:
        """The same, blocking this thread."""
        return self._open().read(job).result()

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run the job in a transaction of its own, committed when it returns and undone when it raises."""
        opened = await self._ready()
        return await asyncio.shield(asyncio.wrap_future(opened.write(job)))

    def write_and_wait(self, job: Callable[[Connection], T]) -> T:
        """The same, blocking this thread."""
        return self._open().write(job).result()

    async def own(self) -> "OwnOnPostgres | OwnOnSQLite":
        """What runs commands inside transactions of the callers', and begins such transactions."""
        return (await self._ready()).own

    def own_and_wait(self) -> "OwnOnPostgres | OwnOnSQLite":
        """The same, blocking this thread."""
        return self._open().own

    # Its life.

    @property
    def waiting(self) -> int:
        """How many commands wait for a batch."""
        return 0 if self._opened is None else self._opened.writer.waiting

    @property
    def wait_seconds(self) -> float:
        """How long a command that comes now is likely to wait for its batch."""
        return 0.0 if self._opened is None else self._opened.writer.wait_seconds

    def now(self, connection: Connection) -> int:
        """The time that counts for a read on this connection, in microseconds."""
        return self.clock_of(server_clock(connection) if self._clock is None else None)

    def clock_of(self, server: int | None) -> int:
        """The time that counts where the database's server says `server`, None where it has no clock of its own."""
        if self._clock is not None:
            return self._clock()
        return system_clock() if server is None else server

    def open(self) -> None:
        """Open now what the first use would open, so that what is wrong with the database shows at once."""
        self._open()

    def close(self) -> None:
        """Finish what waits, then give everything back; what comes later is refused."""
        with self._opening:
            self._closed = True
            opened, self._opened = self._opened, None
        if opened is None:
            return
        # The writer's connection is the last to go: it alone can fold SQLite's write-ahead log into the file.
        opened.threads.shutdown()
        opened.own.close()
        opened.give_back()
        opened.writer.close()
        if opened.writes is not None:
            opened.writes.dispose()

    def rest(self) -> None:
        """The process is about to fork; see `forking`."""
        self._opening.acquire()
        if self._opened is not None:
            self._opened.rest()

    def go_on(self) -> None:
        """The fork is over; a child has none of its parent's threads and opens the database itself."""
        if self._opened is not None and self._opened.pid != os.getpid():
            self._opened = None
        elif self._opened is not None:
            self._opened.go_on()
        self._opening.release()

    async def _ready(self) -> _Opened:
        """What is opened; an event loop does not wait for the opening."""
        opened = self._opened
        return await asyncio.to_thread(self._open) if opened is None else opened

    def _open(self) -> _Opened:
        with self._opening:
            if self._closed:
                raise ServiceClosedError
            if self._opened is None:
                place = self.place
                if isinstance(place, PostgresServer):
                    self._opened = self._open_postgres(place)
                else:
                    self._opened = self._open_sqlite(place)
            return self._opened

    def _open_sqlite(self, place: SQLiteFile | Memory) -> _Opened:
        clock = self._clock or system_clock
        store = InMemoryStore(place, clock=clock) if isinstance(place, Memory) else SQLiteStore(place.path, clock=clock)
        try:
            migrate.upgrade_sqlite(store.connection())
            store.transact(lambda c: catalogs.apply_first(c, self._catalog, now=clock()))
        except sqlite3.Error as error:
            store.close()
            raise DatabaseUnavailableError from error
        except BaseException:
            store.close()
            raise
        reads = place if isinstance(place, Memory) else reading_engine(place)
        opened = _Opened(self._writer([store]), store, reads, None)
        opened.own = OwnOnSQLite(store, opened.turn, seconds_max=self._limits.wait_seconds_max)
        return opened

    def _open_postgres(self, place: PostgresServer) -> _Opened:
        reads, writes = reading_engine(place), writing_engine(place)
        from sixpence.ledger.caller_transactions.postgres import OwnOnPostgres
        from sixpence.ledger.postgres.store import PostgresStore  # the driver is an extra

        def store() -> PostgresStore:
            return PostgresStore(place.conninfo, clock=self._clock, unsafe_durability=self._unsafe_durability)

        stores = [store() for _ in range(self._limits.lanes)]
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
        opened = _Opened(self._writer(stores), stores[0], reads, writes)
        wait = self._limits.wait_seconds_max
        engine = callers_engine(place, wait_seconds_max=wait)
        opened.own = OwnOnPostgres(engine, opened.read, clock=self._clock, wait_seconds_max=wait)
        return opened

    def _writer(self, stores: Sequence[Store]) -> Writer:
        limits = self._limits
        return Writer(
            stores,
            queue_size_max=limits.queue_size_max,
            batch_size_max=limits.batch_size_max,
            wait_seconds_max=limits.wait_seconds_max,
        )


def _read(reads: Engine | Memory, job: Callable[[Connection], T], *, again: bool = True) -> T:
    try:
        with reads.connect() as connection:
            return job(connection)
    except (DBAPIError, PoolTimeoutError) as error:
        # A connection that rested in the pool while the server was restarted shows it only when it is used.
        if again and isinstance(error, DBAPIError) and error.connection_invalidated:
            return _read(reads, job, again=False)
        raise DatabaseUnavailableError from error


def _write_postgres(engine: Engine, job: Callable[[Connection], T]) -> T:
    try:
        with engine.begin() as connection:
            return job(connection)
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise DatabaseUnavailableError from error


def _write_sqlite(store: SQLiteStore, job: Callable[[Connection], T]) -> T:
    try:
        return store.transact(job)
    except (sqlite3.OperationalError, OperationalError) as error:
        raise DatabaseUnavailableError from error
