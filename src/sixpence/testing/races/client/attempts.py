"""Attempts: a call as one client sends it, how that client behaves, and the result; and sending many at once.

Not here: which calls are sent (`running.waves`), and the connection (`client.connection`).
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from sixpence.testing.races.client.address import Address
from sixpence.testing.races.client.calls import Answer, Call, encode_request
from sixpence.testing.races.client.connection import Connection, NoAnswerError

# How a client behaves: it reads the answer; reads it and loses it; or hangs up in the middle of the request, while the
# app works, or at the first byte of the answer.
Ending = Literal["read", "lost", "cut_sending", "cut_waiting", "cut_answering"]
# The expected outcome of a call: served, a failure of its work, or a refusal as another request under a used key.
Purpose = Literal["served", "failing", "other"]

HANG_UPS: tuple[Ending, ...] = ("cut_sending", "cut_waiting", "cut_answering")
_ENDING_TEXTS: dict[Ending, str] = {
    "read": "",
    "lost": ", which its client lost",
    "cut_sending": "hung up in the middle of the request",
    "cut_waiting": "hung up after the request",
    "cut_answering": "hung up at the first byte of the answer",
}


class Attempt(msgspec.Struct, kw_only=True, eq=False):
    """A key's call, sent once. `answer` is complete or None; `no_answer` says why a waiting client got none."""

    key: str
    call: Call
    purpose: Purpose = "served"
    ending: Ending = "read"
    # How long a client waits before it hangs up.
    hang_up_seconds: float = 0.0
    answer: Answer | None = None
    no_answer: NoAnswerError | None = None
    duration_seconds: float = 0.0

    def __str__(self) -> str:
        if self.answer is not None:
            result = f"{self.answer.status}{_ENDING_TEXTS[self.ending]}"
        else:
            result = str(self.no_answer) if self.no_answer is not None else _ENDING_TEXTS[self.ending]
        return f"{self.key}: {self.call}: {result}"


class Client:
    """Sends attempts to an app, many at the same moment: the last byte of each is held back until all are ready."""

    def __init__(self, address: Address, rng: random.Random, *, timeout_seconds: float) -> None:
        self.slowest_seconds = 0.0
        self._address = address
        self._rng = rng
        self._timeout_seconds = timeout_seconds

    async def send_together(self, attempts: Sequence[Attempt]) -> None:
        """Send the attempts at the same moment, and return when all have ended."""
        connections = await asyncio.gather(*map(self._begin, attempts))
        await asyncio.gather(*map(self._finish, attempts, connections))

    async def send(self, attempt: Attempt) -> Attempt:
        """Send one attempt, and return it when it has ended."""
        await self.send_together([attempt])
        return attempt

    async def _begin(self, attempt: Attempt) -> Connection | None:
        request = encode_request(attempt.call, self._address)
        held_back = 1
        if attempt.ending == "cut_sending":
            held_back = self._rng.randint(1, max(1, len(request) - request.index(b"\r\n\r\n") - 4))
        try:
            connection = await Connection.open(self._address, timeout_seconds=self._timeout_seconds)
        except NoAnswerError as error:
            attempt.no_answer = error
            return None
        await connection.send(request[:-held_back])
        return connection

    async def _finish(self, attempt: Attempt, connection: Connection | None) -> None:
        if connection is None:
            return
        began = time.monotonic()
        try:
            await self._behave(attempt, connection)
        except NoAnswerError as error:
            attempt.no_answer = error
        finally:
            connection.abort()
        attempt.duration_seconds = time.monotonic() - began
        if attempt.answer is not None:
            self.slowest_seconds = max(self.slowest_seconds, attempt.duration_seconds)

    async def _behave(self, attempt: Attempt, connection: Connection) -> None:
        if attempt.ending == "cut_sending":
            await asyncio.sleep(attempt.hang_up_seconds)
            return
        await connection.send(encode_request(attempt.call, self._address)[-1:])
        if attempt.ending == "cut_waiting":
            await asyncio.sleep(attempt.hang_up_seconds)
        elif attempt.ending == "cut_answering":
            await connection.wait_for_answer(timeout_seconds=self._timeout_seconds)
        else:
            attempt.answer = await connection.read_answer(attempt.call.method, timeout_seconds=self._timeout_seconds)


Succeeded = Callable[[Answer], bool]


def is_success(answer: Answer) -> bool:
    """Whether the status of an answer is 2xx."""
    return 200 <= answer.status < 300
