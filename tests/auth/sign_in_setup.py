"""Setup for tests of the sign-in: a real database, a clock that tests move, counted hashing.

Not here: a server (serving.py), fixtures (conftest.py).
"""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import delete, insert, select

from sixpence.core.values.instant import SECOND
from sixpence.ledger.database.engines import PostgresServer, parse_database_url
from sixpence.ledger.database.migrate import upgrade_postgres
from sixpence.ledger.database.tables import metadata
from sixpence.ledger.ledger import Ledger

NOON = 1_780_000_000 * SECOND
SECRET = "a secret of the tests, long enough to be one"


class SqlDatabase(Ledger):
    """A ledger that also gives tests access to its tables."""

    def rows(self, table_name: str) -> list[dict[str, Any]]:
        """All rows of a table, in the order of its key."""
        table = metadata.tables[table_name]
        ordered = select(table).order_by(*table.primary_key)
        return self.read_and_wait(lambda connection: [dict(row) for row in connection.execute(ordered).mappings()])

    def add_rows(self, table_name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Inserts rows into a table."""
        self.write_and_wait(lambda connection: connection.execute(insert(metadata.tables[table_name]), rows))

    def empty(self) -> None:
        """Deletes every user, session, key and sign-in."""
        tables = [table for table in reversed(metadata.sorted_tables) if table.name.startswith("auth_")]
        self.write_and_wait(lambda connection: [connection.execute(delete(table)) for table in tables])


def sqlite_ledger(path: Path) -> SqlDatabase:
    """The ledger of a new SQLite file."""
    return SqlDatabase(f"sqlite:///{path}")


def postgres_ledger(url: str) -> SqlDatabase:
    """The ledger of an empty PostgreSQL database."""
    place = parse_database_url(url)
    assert isinstance(place, PostgresServer)
    upgrade_postgres(place)
    return SqlDatabase(url)


class SettableClock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        """Microseconds since 1970 UTC."""
        return self.now

    def advance(self, *, seconds: float = 0, days: float = 0) -> None:
        """Moves the clock forwards."""
        self.now += int((seconds + days * 86_400) * SECOND)


class CountedHashing(PasswordHash):
    """Real argon2id of low cost that counts its verifications, and how many of them run concurrently.

    A verification sets `begun`, and continues when `gate` is set, as it is at first.
    """

    def __init__(self) -> None:
        super().__init__([Argon2Hasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)])
        self.verified = 0
        self.concurrent_max = 0
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()
        self._concurrent = 0
        self._lock = threading.Lock()

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:  # noqa: A002 - the name is pwdlib's
        """Verifies and counts."""
        with self._lock:
            self.verified += 1
            self._concurrent += 1
            self.concurrent_max = max(self.concurrent_max, self._concurrent)
        self.begun.set()
        self.gate.wait(30)
        try:
            return super().verify(password, hash)
        finally:
            with self._lock:
                self._concurrent -= 1
