"""The naive wallet on PostgreSQL: a pool, SELECT FOR UPDATE, UPDATE, INSERT with a unique key."""

import psycopg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.fresh import PostgresTemplate, settle
from tests.support.postgres import PostgresServer

POOL_SIZE = 20
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
_FIND = text("SELECT balance_after FROM transactions WHERE account_id = :account_id AND idempotency_key = :key")
_LOCK = text("SELECT remaining FROM accounts WHERE id = :account_id FOR UPDATE")
_DEBIT = text("UPDATE accounts SET remaining = :remaining WHERE id = :account_id")
_ENTER = text(
    "INSERT INTO transactions (account_id, amount, balance_after, feature, idempotency_key)"
    " VALUES (:account_id, -1, :remaining, :feature, :key)"
)


class PostgresWallet:
    """One transaction a request, on a connection of a pool."""

    def __init__(self, url: str) -> None:
        driver = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self._engine = create_async_engine(driver, pool_size=POOL_SIZE, max_overflow=0)

    async def spend(self, account_id: str, feature: str, key: str) -> int | None:
        """What remains after one credit was spent under the key, None where none is left."""
        named = {"account_id": account_id, "key": key}
        async with self._engine.begin() as connection:
            before = (await connection.execute(_FIND, named)).scalar()
            if before is not None:
                return int(before)
            there = (await connection.execute(_LOCK, {"account_id": account_id})).scalar()
            if there is None or there < 1:
                return None
            remaining = int(there) - 1
            await connection.execute(_DEBIT, {"account_id": account_id, "remaining": remaining})
            await connection.execute(_ENTER, {**named, "remaining": remaining, "feature": feature})
        return remaining

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()


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
