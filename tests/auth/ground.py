"""What the tests of the sign-in stand on: a real database, a clock that is set by hand, counted hashing.

Not here: a server (serving.py), fixtures (conftest.py).
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, Engine, create_engine, delete, event, select

from sixpence.core.instant import SECOND
from sixpence.ledger.schema import metadata

T = TypeVar("T")

NOON = 1_780_000_000 * SECOND
SECRET = "a secret of the tests, long enough to be one"


class SqlDatabase:
    """A database by its URL: each job in one transaction, in a thread."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            _begin_immediately(self.engine)
        metadata.create_all(self.engine)

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Runs the job and commits."""
        return await asyncio.to_thread(self._run, job)

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Runs the job."""
        return await asyncio.to_thread(self._run, job)

    def rows(self, table_name: str) -> list[dict[str, Any]]:
        """Everything in a table."""
        with self.engine.connect() as connection:
            found = connection.execute(select(metadata.tables[table_name])).mappings()
            return [dict(row) for row in found]

    def empty(self) -> None:
        """Removes every row."""
        with self.engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))

    def _run(self, job: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return job(connection)


class SettableClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        """Microseconds since 1970 UTC."""
        return self.now

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        """Moves it forwards."""
        self.now += int((seconds + days * 86_400) * SECOND)


class CountedHashing(PasswordHash):
    """Real argon2id of low cost that counts what it is asked, and how much of it at once.

    A verification sets `begun`, and goes on when `gate` is set, as it is at first.
    """

    def __init__(self) -> None:
        super().__init__([Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)])
        self.verified = 0
        self.at_once_max = 0
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self._at_once = 0
        self._lock = threading.Lock()

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the name is pwdlib's
        """Verifies, and counts."""
        with self._lock:
            self.verified += 1
            self._at_once += 1
            self.at_once_max = max(self.at_once_max, self._at_once)
        self.begun.set()
        self.gate.wait(30)
        try:
            return super().verify(password, hash)
        finally:
            with self._lock:
                self._at_once -= 1


def _begin_immediately(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
