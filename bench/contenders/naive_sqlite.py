"""The naive wallet on SQLite: one connection with its own thread, a transaction per request, each durable."""

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.templates import SQLiteTemplate

_SCHEMA = """
    CREATE TABLE accounts (id TEXT PRIMARY KEY, remaining INTEGER NOT NULL CHECK (remaining >= 0));
    CREATE TABLE transactions (
        id INTEGER PRIMARY KEY, account_id TEXT NOT NULL REFERENCES accounts, amount INTEGER NOT NULL,
        balance_after INTEGER NOT NULL, feature TEXT NOT NULL, idempotency_key TEXT NOT NULL,
        created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, UNIQUE (account_id, idempotency_key)
    );
"""


class SQLiteWallet:
    """One transaction a request, on the one connection."""

    def __init__(self, url: str) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._connection = connect(Path(url.removeprefix("sqlite:///")))

    async def open(self) -> None:
        """Do nothing: the connection is open."""

    async def spend(self, account_id: str, feature: str, key: str) -> int | None:
        """Spend one credit under the key; return what remains, None without credits."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._spend, account_id, feature, key)

    async def close(self) -> None:
        """Close the connection."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)

    def _spend(self, account_id: str, feature: str, key: str) -> int | None:
        run = self._connection.execute
        run("BEGIN IMMEDIATE")
        try:
            remaining = self._spend_in_transaction(account_id, feature, key)
        except BaseException:
            run("ROLLBACK")
            raise
        run("COMMIT")
        return remaining

    def _spend_in_transaction(self, account_id: str, feature: str, key: str) -> int | None:
        run = self._connection.execute
        before = run(
            "SELECT balance_after FROM transactions WHERE account_id = ? AND idempotency_key = ?", (account_id, key)
        ).fetchone()
        if before is not None:
            return int(before[0])
        there = run("SELECT remaining FROM accounts WHERE id = ?", (account_id,)).fetchone()
        if there is None or there[0] < 1:
            return None
        remaining = int(there[0]) - 1
        run("UPDATE accounts SET remaining = ? WHERE id = ?", (remaining, account_id))
        run(
            "INSERT INTO transactions (account_id, amount, balance_after, feature, idempotency_key)"
            " VALUES (?, -1, ?, ?, ?)",
            (account_id, remaining, feature, key),
        )
        return remaining


def connect(path: Path) -> sqlite3.Connection:
    """A connection that is durable at every commit, as ours is."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


@contextmanager
def template(accounts: int) -> Iterator[SQLiteTemplate]:
    """A file with the wallet's tables and the accounts in them, which is removed at the end."""
    with TemporaryDirectory(prefix="sixpence-bench-") as folder:
        path = Path(folder) / "template.db"
        connection = connect(path)
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        names = ((f"user_{number}", 1_000_000_000) for number in range(1, accounts + 1))
        connection.executemany("INSERT INTO accounts VALUES (?, ?)", names)
        connection.execute("COMMIT")
        connection.close()
        yield SQLiteTemplate(path)
