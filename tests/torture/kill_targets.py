"""The processes that `PART=kill` kills: the server on SQLite, one of two servers on PostgreSQL, PostgreSQL itself.

Each target has its own database and servers, and a kill that ends with everything running again. Only processes that
were started here are killed, by their ids. Not here: the load and the checks (`kill`).
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

Kill = Callable[[RandomChoices, Counter[str]], Awaitable[None]]
# Up to longer than a batch waits for a database that is down, so that some clients get a "try again".
DOWN_SECONDS = (0.0, 0.0, 0.0, 0.3, 1.5)


@dataclass(frozen=True)
class KillTarget:
    """A database with its servers, and the function that kills one process and restarts it."""

    served: Served
    kill: Kill


@contextmanager
def server_on_sqlite(_postgres: PostgresServer, home: Path) -> Iterator[KillTarget]:
    """The only server on a SQLite file."""
    with serve_fresh_database(f"sqlite:///{home / 'credits.db'}", home, servers=1) as served:

        async def kill(_choose: RandomChoices, counts: Counter[str]) -> None:
            await _kill_server(served, 0)
            counts["the server on SQLite"] += 1

        yield KillTarget(served, kill)


@contextmanager
def server_on_postgres(postgres: PostgresServer, home: Path) -> Iterator[KillTarget]:
    """One of two servers on a PostgreSQL database, while the other continues."""
    with migrated_database(postgres) as url, serve_fresh_database(url, home, servers=2) as served:

        async def kill(choose: RandomChoices, counts: Counter[str]) -> None:
            await _kill_server(served, choose(range(2)))
            counts["one of two servers on PostgreSQL"] += 1

        yield KillTarget(served, kill)


@contextmanager
def postgres_itself(postgres: PostgresServer, home: Path) -> Iterator[KillTarget]:
    """PostgreSQL, which recovers while its two servers keep running."""
    with migrated_database(postgres) as url, serve_fresh_database(url, home, servers=2) as served:
        pids = [server.pid for server in served.servers]

        async def kill(choose: RandomChoices, counts: Counter[str]) -> None:
            ways = {
                "PostgreSQL, its first process": postgres.kill,
                "PostgreSQL, all its processes": postgres.kill_all,
                "PostgreSQL, by itself at once": postgres.stop_at_once,
            }
            way = choose(list(ways))
            await asyncio.to_thread(ways[way])
            await asyncio.sleep(choose(DOWN_SECONDS))
            await asyncio.to_thread(postgres.start)
            assert [server.pid for server in served.servers] == pids
            counts[way] += 1

        yield KillTarget(served, kill)


async def _kill_server(served: Served, number: int) -> None:
    await asyncio.to_thread(served.servers[number].kill)
    await asyncio.to_thread(served.servers[number].start)


KILL_TARGETS = (server_on_sqlite, server_on_postgres, postgres_itself)
