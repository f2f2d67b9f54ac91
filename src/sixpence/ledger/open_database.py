"""An open database: the writer, threads, engines and connections of one process.

A forked child opens its own. Not here: how a ledger opens each kind of database (`ledger`).
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sixpence.core.errors import DatabaseUnavailableError, QueueFullError
from sixpence.ledger.database.engines import READERS, report_unavailable
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.sqlite.store import SQLiteStore
from sixpence.ledger.writer.store import Store
from sixpence.ledger.writer.writer import Writer

if TYPE_CHECKING:
    from sixpence.ledger.caller_transactions.postgres import PostgresCallerTransactions
    from sixpence.ledger.caller_transactions.sqlite import SQLiteCallerTransactions

T = TypeVar("T")
# Waiting reads and transactions beside the writer's; more are refused at once, as commands are.
WAITING_JOBS_MAX = 2_000


class OpenDatabase:
    """A ledger's database, opened in one process; `caller_transactions` is set before its first use."""

    def __init__(self, writer: Writer, store: Store, reads: Engine | Memory, writes: Engine | None) -> None:
        self.pid = os.getpid()
        self.writer = writer
        self.caller_transactions: PostgresCallerTransactions | SQLiteCallerTransactions
        self._store = store
        self._reads = reads
        self._writes = writes
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="sixpence-reader")
        self._job_slots = threading.BoundedSemaphore(READERS + WAITING_JOBS_MAX)
        self._fork_over = threading.Event()

    def read(self, job: Callable[[Connection], T]) -> "Future[T]":
        """Start a read on a reader's thread; raises `QueueFullError` when too many wait."""
        return self._start(lambda: self._threads.submit(_read, self._reads, job))

    def write(self, job: Callable[[Connection], T]) -> "Future[T]":
        """Start a transaction beside the writer's; raises `QueueFullError` when too many wait."""
        store, engine = self._store, self._writes
        if isinstance(store, SQLiteStore):
            return self._start(lambda: self.writer.run_job(lambda: _write_sqlite(store, job)))
        assert engine is not None
        return self._start(lambda: self._threads.submit(_write_postgres, engine, job))

    def run_on_writer(self, job: Callable[[], None]) -> "Future[None]":
        """Run the job on the writer's thread between two batches; raises `QueueFullError` when too many wait."""
        return self._start(lambda: self.writer.run_job(job))

    def pause_for_fork(self) -> None:
        """Finish the running batch and reads, start no others until `resume_after_fork`, and close a SQLite file."""
        if not isinstance(self._store, SQLiteStore):
            return
        # Each fork has an event of its own: a thread that is late for this one must not wait for the next.
        over = self._fork_over = threading.Event()
        writer_paused = threading.Event()

        def pause_writer() -> None:
            self._store.close()
            writer_paused.set()
            over.wait()

        job = self.writer.run_job(pause_writer)
        while not (job.done() or writer_paused.wait(0.01)):
            pass  # until the running batch ends, or the writer closes
        readers_paused = threading.Barrier(READERS + 1)
        for _ in range(READERS):
            self._threads.submit(lambda: (readers_paused.wait(), over.wait()))
        readers_paused.wait()
        self._close_readers()

    def resume_after_fork(self) -> None:
        """Continue; the file is opened at its next use."""
        self._fork_over.set()

    def close(self) -> None:
        """Finish the queued work and close every connection."""
        # The writer's connection is the last to close: only it can merge SQLite's write-ahead log into the file.
        self._threads.shutdown()
        self.caller_transactions.close()
        self._close_readers()
        self.writer.close()
        if self._writes is not None:
            self._writes.dispose()

    def _start(self, start: "Callable[[], Future[T]]") -> "Future[T]":
        if not self._job_slots.acquire(blocking=False):
            raise QueueFullError
        future = start()
        future.add_done_callback(lambda _: self._job_slots.release())
        return future

    def _close_readers(self) -> None:
        # A memory has only the writer's connection.
        if isinstance(self._reads, Engine):
            self._reads.dispose()


def _read(reads: Engine | Memory, job: Callable[[Connection], T], *, retry: bool = True) -> T:
    try:
        with reads.connect() as connection:
            return job(connection)
    except (DBAPIError, PoolTimeoutError) as error:
        # A pooled connection shows only at its use that the server was restarted.
        if retry and isinstance(error, DBAPIError) and error.connection_invalidated:
            return _read(reads, job, retry=False)
        raise DatabaseUnavailableError from error


def _write_postgres(engine: Engine, job: Callable[[Connection], T]) -> T:
    with report_unavailable(), engine.begin() as connection:
        return job(connection)


def _write_sqlite(store: SQLiteStore, job: Callable[[Connection], T]) -> T:
    try:
        return store.transact(job)
    except (sqlite3.OperationalError, OperationalError) as error:
        raise DatabaseUnavailableError from error
