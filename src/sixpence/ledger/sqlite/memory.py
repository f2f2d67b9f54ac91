"""Credits in this process's memory, for tests: SQLite without a file, behind the same store as a file.

No URL names it, since credits must outlive the process: code passes a `Memory` instead. Not here: a batch's reads and
writes (`store`).
"""

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError
from sixpence.ledger.database.engines import engine_on_connection
from sixpence.ledger.sqlite.file import BUSY_TIMEOUT_SECONDS
from sixpence.ledger.sqlite.store import SQLiteStore, system_clock
from sixpence.ledger.writer.store import Append

T = TypeVar("T")


class Memory:
    """A database that lives as long as this object: `CreditService(Memory())`.

    Any number of ledgers may use it at the same time. One transaction at a time holds its connection, like the lock of
    a file. A forked process cannot use it.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._engine = engine_on_connection(self._connection)
        self._lock = threading.Lock()
        weakref.finalize(self, self._connection.close)

    def acquire(self) -> sqlite3.Connection:
        """Wait for the connection and hold it until `release`.

        Raises `DatabaseSetupError` in a forked process, and `DatabaseUnavailableError` after five seconds.
        """
        if os.getpid() != self._pid:
            problem = f"These credits are in the memory of process {self._pid}, and another process loses its changes."
            raise DatabaseSetupError(problem, "Use a SQLite file for processes that share credits.")
        if not self._lock.acquire(timeout=BUSY_TIMEOUT_SECONDS):
            raise DatabaseUnavailableError
        return self._connection

    def release(self) -> None:
        """Let the next transaction hold the connection."""
        self._lock.release()

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one transaction; an error rolls it back."""
        locked = self.acquire()
        try:
            # Closed before the release: closing rolls back an open transaction of the one connection.
            with self._engine.connect() as borrowed:
                locked.execute("BEGIN IMMEDIATE")
                answer = job(borrowed)
                locked.execute("COMMIT")
        finally:
            locked.rollback()
            self.release()
        return answer

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A read-only connection, like an engine's for a file; it holds the memory until the block ends."""
        locked = self.acquire()
        try:
            locked.execute("PRAGMA query_only = ON")
            with self._engine.connect() as connection:
                yield connection
        finally:
            locked.execute("PRAGMA query_only = OFF")
            self.release()


class InMemoryStore(SQLiteStore):
    """The writer's store on a memory, which it holds from a batch's first statement to its end."""

    def __init__(self, memory: Memory, *, clock: Callable[[], int] = system_clock) -> None:
        super().__init__(":memory:", clock=clock)
        self._memory = memory

    def connection(self) -> sqlite3.Connection:
        """The memory's connection, held until the batch ends."""
        if self._connection is None:
            self._connection = self._memory.acquire()
        return self._connection

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one transaction; an error rolls it back."""
        self.close()
        return self._memory.transact(job)

    def append(self, append: Append) -> None:
        """Write the batch and commit it."""
        super().append(append)
        self.close()

    def roll_back(self) -> None:
        """Roll back an open transaction."""
        self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Read the row, once other transactions have ended."""
        try:
            return super().was_committed(row)
        finally:
            self.close()

    def close(self) -> None:
        """Roll back an open transaction and release the memory; committed rows stay in it."""
        if self._connection is not None:
            self._connection.rollback()
            self._connection = None
            self._memory.release()
