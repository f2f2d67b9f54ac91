"""Concurrent clients over keep-alive connections; an answer counts once the witness has it on the disk.

Not here: their requests (workload.py), and the kills (tests/torture/kill.py).
"""

import asyncio
import itertools
import json
import time
from dataclasses import dataclass

from tests.histories.history import Asked, has_row
from tests.histories.witness_record import WitnessRecorder
from tests.histories.wording import READ, to_http
from tests.histories.workload import Accounts, Known, draw
from tests.lockstep.choices import RandomChoices
from tests.races.load import Line
from tests.races.served import Served
from tests.races.wire import Reply, WireError

PAUSE_SECONDS = 0.03
# Under any load and any kill: an answer that takes longer is lost.
ANSWER_SECONDS_MAX = 60.0
_SHOWN = ("account_id", "subscription_status", "remaining", "total", "held", "version")
_OF_GRANT = ("id", "remaining", "held")

_WALL_AT_START, _MONOTONIC_AT_START = time.time_ns(), time.monotonic_ns()


def instant() -> int:
    """Microseconds since 1970 on a clock that does not go back when somebody sets the time."""
    return (_WALL_AT_START + time.monotonic_ns() - _MONOTONIC_AT_START) // 1000


@dataclass(frozen=True)
class Acknowledged:
    """A change that was acknowledged, so the ledger must have it from then on."""

    account: str
    seq: int
    id: str | None
    number: int


class ClientPool:
    """Clients that run until `finish`, or until they have begun `requests_max`; without it, `allow` sets how many.

    `acknowledged` are the changes that the witness has on the disk, `requests` all that were begun.
    """

    def __init__(
        self,
        served: Served,
        witness: WitnessRecorder,
        accounts: Accounts,
        *,
        clients: int,
        seed: str,
        requests_max: int | None = None,
    ) -> None:
        self._served = served
        self._witness = witness
        self._accounts = accounts
        self._clients = clients
        self._seed = seed
        self._requests_max = requests_max
        self._numbers = itertools.count(1)
        self._done = False
        self._allowed = asyncio.Semaphore(requests_max or 0)
        self._moved = asyncio.Event()
        self.acknowledged: list[Acknowledged] = []
        self.unexpected: list[str] = []
        self.requests = 0

    async def run(self) -> None:
        """Run every client: one request after another, each retried with its key until it is answered."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._clients):
                group.create_task(self._client(number))

    def allow(self, requests: int) -> None:
        """Allow this many more requests."""
        for _ in range(requests):
            self._allowed.release()

    def finish(self) -> None:
        """Let the clients end; keyed requests are still retried until they are answered."""
        self._done = True
        self.allow(self._clients)

    async def until(self, acknowledged: int) -> None:
        """Return when this many more changes have been acknowledged."""
        goal = len(self.acknowledged) + acknowledged
        while len(self.acknowledged) < goal and not self._done:
            self._moved.clear()
            await self._moved.wait()

    async def _client(self, number: int) -> None:
        choose = RandomChoices(f"{self._seed} {number}")
        lines = [Line(self._served, number), Line(self._served, number + 1)]
        while await self._may_begin():
            known = self._accounts.take(choose)
            asked = draw(choose, known, next(self._numbers))
            await self._send_until_answered(lines, known, asked, choose(range(40)))
        for line in lines:
            await line.hang_up()

    async def _may_begin(self) -> bool:
        await self._allowed.acquire()
        if self._done:
            return False
        self.requests += 1
        if self.requests == self._requests_max:
            self.finish()
        return True

    async def _send_until_answered(self, lines: list["Line"], known: Known, asked: Asked, chance: int) -> None:
        """Send a request: without a key once, with a key until it is answered, sometimes twice at once or once more."""
        if asked.key is not None and chance == 0:
            await asyncio.gather(*(self._send(line, known, asked) for line in lines))
        while not await self._send(lines[0], known, asked):
            if asked.key is None:
                return
        if asked.key is not None and chance == 1:
            await self._send(lines[1], known, asked)

    async def _send(self, line: "Line", known: Known, asked: Asked) -> bool:
        """Send a request once; True if its answer was final, and not a 503."""
        called_at = instant()
        call = self._witness.sent(asked, called_at)
        method, path, body = to_http(asked)
        headers = {} if asked.key is None else {"idempotency_key": asked.key}
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                reply = await (await line.connection()).ask(method, path, body, **headers)
        except WireError:
            await line.turn()
            await asyncio.sleep(PAUSE_SECONDS)
            return False
        except TimeoutError:
            self.unexpected.append(f"request {asked.number} ({asked.kind}) got no answer in {ANSWER_SECONDS_MAX:.0f} s")
            await line.turn()
            return True
        returned_at = instant()
        text = _text_to_record(asked, reply)
        replayed = "idempotency-replayed" in reply.headers
        await self._witness.answered(call, returned_at=returned_at, status=reply.status, replayed=replayed, text=text)
        self._take(known, asked, reply.status, text)
        if reply.status == 503:
            await asyncio.sleep(PAUSE_SECONDS)
        return reply.status != 503

    def _take(self, known: Known, asked: Asked, status: int, text: str) -> None:
        if status in (200, 201):
            body = json.loads(text)
            known.learn(asked, body)
            if asked.kind != READ and (has_row(body) or asked.key is not None):
                acknowledged = Acknowledged(asked.account, body["version"], body.get("transaction_id"), asked.number)
                self.acknowledged.append(acknowledged)
                self._moved.set()
        elif status != 503 and (status >= 500 or status in (400, 401)):
            self.unexpected.append(f"request {asked.number} ({asked.kind} {dict(asked.fields)}): {status} {text}")


def _text_to_record(asked: Asked, reply: Reply) -> str:
    """The answer's text; of a read only the fields that are checked, because the rest is large."""
    if asked.kind != READ or reply.status != 200:
        return reply.content.decode()
    body = reply.json()
    shown = {name: body[name] for name in _SHOWN}
    shown["grants"] = [{name: grant[name] for name in _OF_GRANT} for grant in body["grants"]]
    return json.dumps(shown)
