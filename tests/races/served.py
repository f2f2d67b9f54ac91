"""Server processes over one database, and concurrent clients for them.

Lives here: several servers as one, keys and users for them, requests that go out at once.
Not here: how one server is started (tests/support/server.py), fixtures (conftest.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from sixpence.auth.api_keys import ApiKeys
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.sqlite.store import system_clock
from tests.ledger.databases import rows
from tests.races.wire import Connection, Reply
from tests.support.server import ServerProcess, environment_for

SECRET = "a secret that all the servers share, long enough"
PASSWORD = "correct horse"

Ask = Callable[[Connection], Awaitable[Reply]]


class Served:
    """One database and its servers; requests go to them in turn."""

    def __init__(self, database_url: str, servers: Sequence[ServerProcess], key: str) -> None:
        self.database_url = database_url
        self.servers = servers
        self.key = key

    async def connect(self, number: int = 0, **headers: str) -> Connection:
        """A connection to one of the servers; it shows an API key unless it has headers of its own."""
        url = self.servers[number % len(self.servers)].url
        return await Connection.open(url, **(headers or {"authorization": f"Bearer {self.key}"}))

    async def at_once(self, ask: Ask, times: int, **headers: str) -> list[Reply]:
        """The answers to this many requests, sent at once over as many connections, to the servers in turn."""
        connections = await asyncio.gather(*(self.connect(number, **headers) for number in range(times)))
        try:
            return await asyncio.gather(*map(ask, connections))
        finally:
            await asyncio.gather(*(connection.close() for connection in connections))

    async def at_rest(self) -> None:
        """Return when the relay has emptied the outbox, so that nothing changes by itself any more."""
        for _ in range(600):
            if rows(self.database_url, "SELECT count(*) FROM outbox") == [(0,)]:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the relay does not empty the outbox")

    async def open_account(self, account_id: str, *, credits: int = 6) -> str:
        """Create an account with this many credits, at least six; returns its path."""
        path = f"/v1/accounts/{account_id}"
        connection = await self.connect()
        made = await connection.ask("POST", "/v1/accounts", {"account_id": account_id})
        assert made.status == 201
        if credits > 6:
            granted = await connection.ask("POST", f"{path}/grants", {"amount": credits - 6, "reason": "enough"})
            assert granted.status == 200
        await connection.close()
        return path

    async def sign_up(self, email: str) -> tuple[str, str]:
        """Sign a user up; returns the user's id and the cookie."""
        server = self.servers[0]
        async with httpx.AsyncClient(base_url=server.url, headers={"origin": server.url}, timeout=60) as client:
            body = {"email": email, "name": "Ada", "password": PASSWORD}
            made = (await client.post("/api/auth/sign-up/email", json=body)).raise_for_status()
            return made.json()["user"]["id"], "; ".join(f"{name}={value}" for name, value in client.cookies.items())


@contextmanager
def serving(url: str, home: Path, *, servers: int) -> Iterator[Served]:
    """Server processes over one database that has this version's schema, each with a home and a port of its own."""
    key = asyncio.run(_new_key(url))
    processes = []
    for number in range(servers):
        own = home / str(number)
        own.mkdir()
        environment = environment_for(own, url, {"SIXPENCE_SECRET": SECRET})
        processes.append(ServerProcess(own, environment, workers=1))
    try:
        with ThreadPoolExecutor() as threads:
            list(threads.map(ServerProcess.start, processes))
        yield Served(url, processes, key)
    finally:
        for process in processes:
            process.kill()


async def _new_key(url: str) -> str:
    ledger = Ledger(url)
    try:
        return (await ApiKeys(ledger, system_clock).create_key(name="race", created_by="test")).text
    finally:
        await asyncio.to_thread(ledger.close)
