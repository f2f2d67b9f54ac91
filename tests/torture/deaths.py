"""Who dies in `PART=kill`, and how: a server on SQLite, one of two on PostgreSQL, PostgreSQL itself.

Each kind has a stage: a database of its own, its servers, and a death that ends with everything running again. Only
processes that were started here are ended, by their ids.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.histories.setup import serve_fresh_database
from tests.ledger.databases import migrated_database
from tests.lockstep.choices import RandomChoices
from tests.races.served import Served
from tests.support.postgres import PostgresServer

Death = Callable[[RandomChoices, Counter[str]], Awaitable[None]]
# Longer than a batch waits for a database that is away, so that some are told to come again.
AWAY_SECONDS = (0.0, 0.0, 0.0, 0.3, 1.5)


@dataclass(frozen=True)
class Stage:
    """A database with its servers, and what dies of it."""

    served: Served
    die: Death


@contextmanager
def server_on_sqlite(_postgres: PostgresServer, home: Path) -> Iterator[Stage]:
    """The one server over a SQLite file dies and comes back."""
    with serve_fresh_database(f"sqlite:///{home / 'credits.db'}", home, servers=1) as served:

        async def die(_choose: RandomChoices, counts: Counter[str]) -> None:
            await _kill_server(served, 0)
            counts["the server on SQLite"] += 1

        yield Stage(served, die)


@contextmanager
def server_on_postgres(postgres: PostgresServer, home: Path) -> Iterator[Stage]:
    """One of two servers over a PostgreSQL dies and comes back, while the other goes on."""
    with migrated_database(postgres) as url, serve_fresh_database(url, home, servers=2) as served:

        async def die(choose: RandomChoices, counts: Counter[str]) -> None:
            await _kill_server(served, choose(range(2)))
            counts["one of two servers on PostgreSQL"] += 1

        yield Stage(served, die)


@contextmanager
def postgres_itself(postgres: PostgresServer, home: Path) -> Iterator[Stage]:
    """PostgreSQL dies and recovers, while its two servers stay as they are."""
    with migrated_database(postgres) as url, serve_fresh_database(url, home, servers=2) as served:
        pids = [server.pid for server in served.servers]

        async def die(choose: RandomChoices, counts: Counter[str]) -> None:
            ways = {
                "PostgreSQL, its first process": postgres.kill,
                "PostgreSQL, all its processes": postgres.kill_all,
                "PostgreSQL, by itself at once": postgres.stop_at_once,
            }
            way = choose(list(ways))
            await asyncio.to_thread(ways[way])
            await asyncio.sleep(choose(AWAY_SECONDS))
            await asyncio.to_thread(postgres.start)
            assert [server.pid for server in served.servers] == pids
            counts[way] += 1

        yield Stage(served, die)


async def _kill_server(served: Served, number: int) -> None:
    await asyncio.to_thread(served.servers[number].kill)
    await asyncio.to_thread(served.servers[number].start)


STAGES = (server_on_sqlite, server_on_postgres, postgres_itself)
