"""Clients that consume while a server or a database is killed, and record the answers.

Not here: the kills (test_kills.py).
"""

import asyncio

from tests.races.served import Served
from tests.races.wire import Connection, Reply, WireError

PAUSE_SECONDS = 0.02


class Load:
    """Many clients that use one account at once. `acknowledged` has the transaction ids of the 200 answers."""

    def __init__(self, served: Served, path: str, *, clients: int) -> None:
        self._served = served
        self._path = path
        self._clients = clients
        self._done = False
        self._moved = asyncio.Event()
        self.sent = 0
        self.acknowledged: list[str] = []
        self.keys: list[str] = []
        self.unexpected: list[Reply] = []

    async def run_with_keys(self) -> None:
        """Each client sends one use after another, and retries each with its key until it is acknowledged."""
        await asyncio.gather(*(self._client(number, keyed=True) for number in range(self._clients)))

    async def run_without_keys(self) -> None:
        """Each client sends one use after another, without retries."""
        await asyncio.gather(*(self._client(number, keyed=False) for number in range(self._clients)))

    def finish(self) -> None:
        """Let the clients end; keyed uses are still retried until they are acknowledged."""
        self._done = True

    async def until(self, acknowledged: int) -> None:
        """Return when this many more uses have been acknowledged."""
        goal = len(self.acknowledged) + acknowledged
        while len(self.acknowledged) < goal:
            self._moved.clear()
            await self._moved.wait()

    async def _client(self, number: int, *, keyed: bool) -> None:
        line = Line(self._served, number)
        turn = 0
        while not self._done:
            turn += 1
            headers = {"idempotency_key": f"{number}-{turn}"} if keyed else {}
            if keyed:
                self.keys.append(headers["idempotency_key"])
            acknowledged = await self._use(line, headers)
            while keyed and not acknowledged:
                await asyncio.sleep(PAUSE_SECONDS)
                acknowledged = await self._use(line, headers)
        await line.hang_up()

    async def _use(self, line: "Line", headers: dict[str, str]) -> bool:
        self.sent += 1
        try:
            connection = await line.connection()
            reply = await connection.ask("POST", f"{self._path}/consume", {"feature": "video"}, **headers)
        except WireError:
            await line.hang_up()
            await asyncio.sleep(PAUSE_SECONDS)
            return False
        if reply.status == 200:
            self.acknowledged.append(reply.json()["transaction_id"])
            self._moved.set()
        elif reply.status != 503:
            self.unexpected.append(reply)
        return reply.status == 200


class Line:
    """A client's connection; it reconnects after a loss, on request to the next server."""

    def __init__(self, served: Served, number: int) -> None:
        self._served = served
        self._number = number
        self._connection: Connection | None = None

    async def connection(self) -> Connection:
        """The connection, which may be a new one."""
        if self._connection is None:
            self._connection = await self._served.connect(self._number)
        return self._connection

    async def turn(self) -> None:
        """Give the connection up, and go to the next server."""
        await self.hang_up()
        self._number += 1

    async def hang_up(self) -> None:
        """Give the connection up."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
