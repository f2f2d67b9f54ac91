"""kill -9 under load: what was acknowledged is in the ledger, and nothing is in it twice."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.ledger.databases import rows, upgrade, verify_clean
from tests.races.load import Load
from tests.races.served import Served, serving
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

CLIENTS = 8
BETWEEN = 40
DEATHS = 2

Death = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this module, which may be killed."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def on_postgres(mortal: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Two servers over the mortal PostgreSQL."""
    url = mortal.create_database()
    upgrade(url)
    with serving(url, tmp_path_factory.mktemp("postgres"), servers=2) as served:
        yield served


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server over a SQLite file."""
    home = tmp_path_factory.mktemp("sqlite")
    with serving(f"sqlite:///{home / 'credits.db'}", home, servers=1) as served:
        yield served


async def test_killed_server_on_sqlite_loses_nothing(on_sqlite: Served) -> None:
    """The one server is killed and started again, under load with keys and without."""
    await die_under_load("file", on_sqlite, server_death(on_sqlite))


async def test_killed_server_on_postgres_loses_nothing(on_postgres: Served) -> None:
    """One of two servers is killed and started again, under load with keys and without."""
    await die_under_load("server", on_postgres, server_death(on_postgres))


async def test_killed_postgres_loses_nothing(on_postgres: Served, mortal: PostgresServer) -> None:
    """PostgreSQL itself is killed and recovers, while its two servers stay up under load."""

    async def death() -> None:
        await asyncio.to_thread(mortal.kill)
        # Longer than a batch waits for a database that is away, so that some requests get a 503.
        await asyncio.sleep(1.5)
        await asyncio.to_thread(mortal.start)

    pids = [server.pid for server in on_postgres.servers]

    await die_under_load("database", on_postgres, death)

    assert [server.pid for server in on_postgres.servers] == pids


def server_death(served: Served) -> Death:
    """Kills the first server and starts it again."""

    async def death() -> None:
        await asyncio.to_thread(served.servers[0].kill)
        await asyncio.to_thread(served.servers[0].start)

    return death


async def die_under_load(name: str, served: Served, death: Death) -> None:
    """Kill it several times while clients consume with and without keys, then compare the ledger with the answers."""
    keyed_path = await served.open_account(f"{name}-keyed", credits=1_000_000)
    plain_path = await served.open_account(f"{name}-plain", credits=1_000_000)
    keyed = Load(served, keyed_path, clients=CLIENTS)
    plain = Load(served, plain_path, clients=CLIENTS)

    async def die() -> None:
        for _ in range(DEATHS):
            await asyncio.gather(keyed.until(BETWEEN), plain.until(BETWEEN))
            await death()
        await asyncio.gather(keyed.until(BETWEEN), plain.until(BETWEEN))
        keyed.finish()
        plain.finish()

    await asyncio.wait_for(asyncio.gather(keyed.run_with_keys(), plain.run_without_keys(), die()), 90)

    verify_clean(served.database_url)
    assert [reply.content for reply in keyed.unexpected + plain.unexpected] == []
    written = uses(served, keyed_path)
    assert sorted(key for _, key in written) == sorted(keyed.keys)
    assert {transaction_id for transaction_id, _ in written} == set(keyed.acknowledged)
    assert len(keyed.acknowledged) == len(keyed.keys) < keyed.sent
    written = uses(served, plain_path)
    assert len(plain.acknowledged) == len(set(plain.acknowledged)) <= len(written) <= plain.sent
    assert set(plain.acknowledged) <= {transaction_id for transaction_id, _ in written}


def uses(served: Served, path: str) -> list[tuple[str, str]]:
    """The uses in an account's ledger as (transaction id, idempotency key)."""
    query = "SELECT id, idempotency_key FROM credit_transactions WHERE account_id = :id AND kind = 'consume'"
    return [(row[0], row[1]) for row in rows(served.database_url, query, {"id": Path(path).name})]
