"""Real servers with a relay under load: nothing is lost or counted twice, also when they are killed, and they stop."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ledger.databases import migrated_database, verify_clean
from tests.ledger.relay.usage_by_hand import by_hand, counted, left
from tests.races.load import Load
from tests.races.served import Served, serving
from tests.support.postgres import PostgresDatabases

CLIENTS = 16


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    """One server over SQLite, then two over PostgreSQL, this test's alone; at the end the ledger is proved."""
    if request.param == "sqlite":
        with serving(f"sqlite:///{tmp_path / 'credits.db'}", tmp_path, servers=1) as running:
            yield running
            verify_clean(running.database_url)
        return
    databases: PostgresDatabases = request.getfixturevalue("postgres_server")
    with migrated_database(databases) as url, serving(url, tmp_path, servers=2) as running:
        yield running
        verify_clean(url)


async def test_under_load_it_keeps_up_and_stops(served: Served) -> None:
    """Uses of many clients are counted meanwhile, all of them soon after the last; the servers end in good order."""
    load = Load(served, await served.open_account("busy", credits=1_000_000), clients=CLIENTS)
    running = asyncio.create_task(load.run_with_keys())
    await load.until(1_000)
    while not counted(served.database_url):
        await load.until(100)
    load.finish()
    await running

    await served.at_rest()
    begun = time.monotonic()
    ended = [await asyncio.to_thread(server.stop) for server in served.servers]

    assert (ended, load.unexpected) == ([0] * len(served.servers), [])
    assert time.monotonic() - begun < 8
    assert counted(served.database_url) == by_hand(served.database_url)


async def test_killed_under_load_it_counts_everything_once(served: Served) -> None:
    """Servers are killed in the middle again and again; what is in the ledger is what is counted in the end."""
    load = Load(served, await served.open_account("busy", credits=1_000_000), clients=CLIENTS)
    running = asyncio.create_task(load.run_with_keys())
    for turn in range(6):
        await load.until(150)
        # At any moment between two looks of the relay.
        await asyncio.sleep(0.13 * turn)
        server = served.servers[turn % len(served.servers)]
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    load.finish()
    await running

    await served.at_rest()

    assert load.unexpected == []
    assert counted(served.database_url) == by_hand(served.database_url)
    assert left(served.database_url) == 0
