"""Credits in this process's memory, for tests: SQLite without a file, behind the very store that a file has.

No URL names it, since credits must outlive the process: only code can ask for it, by handing over a `Memory`. Not here:
what a batch asks of SQLite (`sqlite`).
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
from sixpence.ledger.database.engines import lent_engine
from sixpence.ledger.sqlite.store import BUSY_SECONDS, SQLiteStore, system_clock
from sixpence.ledger.writer.store import Append

T = TypeVar("T")


class Memory:
    """A database that is there as long as this object is, whatever ledgers come and go: `CreditService(Memory())`.

    Any number of ledgers may be on it at once. It has one connection, and whoever has begun has it to themselves, as
    with the lock of a file. A process that was forked cannot go on with it.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._lent = lent_engine(self._connection)
        self._turn = threading.Lock()
        weakref.finalize(self, self._connection.close)

    def take(self) -> sqlite3.Connection:
        """Wait until nobody else has it, and have it until `give_back`.

        Raises `DatabaseSetupError` in a process that was forked, and `DatabaseUnavailableError` after five seconds.
        """
        if os.getpid() != self._pid:
            problem = (
                f"These credits are in the memory of process {self._pid}, and what this one changed would be lost."
            )
            raise DatabaseSetupError(problem, "Give processes that are to share credits a SQLite file.")
        if not self._turn.acquire(timeout=BUSY_SECONDS):
            raise DatabaseUnavailableError
        return self._connection

    def give_back(self) -> None:
        """Let the next one have it."""
        self._turn.release()

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one transaction; what it raises undoes it."""
        taken = self.take()
        try:
            # Closed before anybody else has their turn: it undoes whatever is open on the one connection.
            with self._lent.connect() as lent:
                taken.execute("BEGIN IMMEDIATE")
                answer = job(lent)
                taken.execute("COMMIT")
        finally:
            taken.rollback()
            self.give_back()
        return answer

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection that only reads, as an engine's for a file; nobody else has the memory meanwhile."""
        taken = self.take()
        try:
            taken.execute("PRAGMA query_only = ON")
            with self._lent.connect() as connection:
                yield connection
        finally:
            taken.execute("PRAGMA query_only = OFF")
            self.give_back()


class InMemoryStore(SQLiteStore):
    """A batch on a memory, which the store has to itself from the first statement to the end."""

    def __init__(self, memory: Memory, *, clock: Callable[[], int] = system_clock) -> None:
        super().__init__(":memory:", clock=clock)
        self._memory = memory

    def connection(self) -> sqlite3.Connection:
        """The memory's connection, nobody else's until the batch ends."""
        if self._connection is None:
            self._connection = self._memory.take()
        return self._connection

    def transact(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one transaction; what it raises undoes it."""
        self.close()
        return self._memory.transact(job)

    def append(self, append: Append) -> None:
        """Write the batch and commit it."""
        super().append(append)
        self.close()

    def abandon(self) -> None:
        """Undo what was begun."""
        self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Look for the row, once what was under way has ended."""
        try:
            return super().was_committed(row)
        finally:
            self.close()

    def close(self) -> None:
        """Undo what was not committed and let others have their turn; what was committed stays in the memory."""
        if self._connection is not None:
            self._connection.rollback()
            self._connection = None
            self._memory.give_back()
