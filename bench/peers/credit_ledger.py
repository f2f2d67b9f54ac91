"""credit-ledger: a guarded UPDATE and an entry with a unique key, over PostgreSQL, in its own transaction.

Its package brings no schema, so the tables here are what its code reads and writes, with the types and the unique key
that its README names. They have no foreign keys and no row-level security, which it advises: that is in its favour.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from credit_ledger import metering  # type: ignore[import-not-found]
from sqlalchemy import create_engine, text

from bench.peers import loop
from bench.peers.loop import CREDITS, Charge

_TABLES = (
    """
    CREATE TABLE credit_balance (
        tenant_id uuid PRIMARY KEY, credits numeric(18, 4) NOT NULL, updated_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE credit_ledger (
        id uuid PRIMARY KEY, tenant_id uuid NOT NULL, delta numeric(18, 4) NOT NULL, reason text NOT NULL,
        idempotency_key text, balance_after numeric(18, 4), created_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (tenant_id, idempotency_key)
    )
    """,
)


def fill(url: str, customers: int) -> None:
    """The tables, and customers with credits."""
    engine = create_engine(_driven(url))
    with engine.begin() as connection:
        for table in _TABLES:
            connection.execute(text(table))
    for number in range(1, customers + 1):
        metering.grant(_tenant(number), CREDITS, idempotency_key="topup", engine=engine)
    engine.dispose()


@contextmanager
def opened(url: str, customers: int, threads: int) -> Iterator[Charge]:
    """A decrement of one credit, on an engine that keeps a connection for each thread."""
    engine = create_engine(_driven(url), pool_size=threads)
    tenants = [_tenant(number) for number in range(1, customers + 1)]

    def charge(customer: int, key: str) -> None:
        charged = metering.decrement(tenants[customer - 1], 1, reason="interior", idempotency_key=key, engine=engine)
        if not charged.ok:
            raise RuntimeError(f"a charge was refused: {charged}")

    yield charge
    engine.dispose()


def _tenant(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"user_{number}"))


def _driven(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


if __name__ == "__main__":
    loop.main(opened, fill)
