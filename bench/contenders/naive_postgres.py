"""The naive wallet on PostgreSQL: a pool, SELECT FOR UPDATE, UPDATE, INSERT with a unique key.

It uses psycopg directly, with a pool that does nothing at release: through SQLAlchemy's asynchronous pool the same
statements reach a third of that rate, and the contender must be a good one of its kind.
"""

import asyncio

import psycopg

from bench.templates import PostgresTemplate, settle
from tests.support.postgres import PostgresServer

POOL_SIZE = 10
_SCHEMA = (
    "CREATE TABLE accounts (id text PRIMARY KEY, remaining bigint NOT NULL CHECK (remaining >= 0))",
    """
    CREATE TABLE transactions (
        id bigserial PRIMARY KEY, account_id text NOT NULL REFERENCES accounts, amount bigint NOT NULL,
        balance_after bigint NOT NULL, feature text NOT NULL, idempotency_key text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (account_id, idempotency_key)
    )
    """,
)
_FIND = "SELECT balance_after FROM transactions WHERE account_id = %s AND idempotency_key = %s"
_LOCK = "SELECT remaining FROM accounts WHERE id = %s FOR UPDATE"
_DEBIT = "UPDATE accounts SET remaining = %s WHERE id = %s"
_ENTER = """
    INSERT INTO transactions (account_id, amount, balance_after, feature, idempotency_key) VALUES (%s, -1, %s, %s, %s)
"""


class PostgresWallet:
    """One transaction a request, on a connection of a pool."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._idle: asyncio.LifoQueue[psycopg.AsyncConnection] = asyncio.LifoQueue()

    async def open(self) -> None:
        """Connect before the first request."""
        for _ in range(POOL_SIZE):
            self._idle.put_nowait(await psycopg.AsyncConnection.connect(self._url))

    async def spend(self, account_id: str, feature: str, key: str) -> int | None:
        """Spend one credit under the key; return what remains, None without credits."""
        connection = await self._idle.get()
        try:
            async with connection.transaction():
                return await _spend(connection.cursor(), account_id, feature, key)
        finally:
            self._idle.put_nowait(connection)

    async def close(self) -> None:
        """Close the connections."""
        while not self._idle.empty():
            await self._idle.get_nowait().close()


async def _spend(cursor: psycopg.AsyncCursor, account_id: str, feature: str, key: str) -> int | None:
    await cursor.execute(_FIND, (account_id, key))
    before = await cursor.fetchone()
    if before is not None:
        return int(before[0])
    await cursor.execute(_LOCK, (account_id,))
    there = await cursor.fetchone()
    if there is None or there[0] < 1:
        return None
    remaining = int(there[0]) - 1
    await cursor.execute(_DEBIT, (remaining, account_id))
    await cursor.execute(_ENTER, (account_id, remaining, feature, key))
    return remaining


def template(server: PostgresServer, accounts: int) -> PostgresTemplate:
    """A database with the wallet's tables and the accounts in them."""
    url = server.create_database()
    with psycopg.connect(url) as connection:
        for statement in _SCHEMA:
            connection.execute(statement.encode())
        connection.execute(
            "INSERT INTO accounts SELECT 'user_' || i, 1000000000 FROM generate_series(1, %s) AS i", (accounts,)
        )
    settle(url)
    return PostgresTemplate(server, url)
