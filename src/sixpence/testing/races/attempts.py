"""Attempts: one sending of a call, how its client behaves, and what became of it; and the sending of many at once."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from sixpence.testing.races.calls import Answer, Call, Place, bytes_of
from sixpence.testing.races.wire import Line, NoAnswerError

# How a client behaves: reads its answer; reads it and loses it; or hangs up in the middle of the request, while the app
# works, or at the first byte of the answer.
Ending = Literal["read", "lost", "cut_sending", "cut_waiting", "cut_answering"]
# What a call is sent for: to be served, to fail in its work, or to be refused as the key's second, other request.
Meant = Literal["served", "failing", "other"]

CUTS: tuple[Ending, ...] = ("cut_sending", "cut_waiting", "cut_answering")
_IN_WORDS: dict[Ending, str] = {
    "read": "",
    "lost": ", which its client lost",
    "cut_sending": "hung up in the middle of the request",
    "cut_waiting": "hung up after the request",
    "cut_answering": "hung up at the first byte of the answer",
}


class Attempt(msgspec.Struct, kw_only=True, eq=False):
    """One sending of a key's call. `answer` is whole or None; `missing` says why there is none, `took` in seconds."""

    key: str
    call: Call
    meant: Meant = "served"
    ending: Ending = "read"
    # How long a client that hangs up waits first, in seconds.
    patience: float = 0.0
    answer: Answer | None = None
    missing: NoAnswerError | None = None
    took: float = 0.0

    @property
    def cut(self) -> bool:
        """Whether the client hung up before there was an answer."""
        return self.ending in CUTS

    def __str__(self) -> str:
        if self.answer is not None:
            became = f"{self.answer.status}{_IN_WORDS[self.ending]}"
        else:
            became = str(self.missing) if self.missing is not None else _IN_WORDS[self.ending]
        return f"{self.key}: {self.call}: {became}"


class Sending:
    """Sends attempts to an app; `at_once` holds back the last byte of every request until all are there."""

    def __init__(self, place: Place, chance: random.Random, *, timeout_seconds: float) -> None:
        self.slowest_seconds = 0.0
        self._place = place
        self._chance = chance
        self._timeout_seconds = timeout_seconds

    async def at_once(self, attempts: Sequence[Attempt]) -> None:
        """Send them all at the same moment and return when each has what it waits for."""
        lines = await asyncio.gather(*map(self._begin, attempts))
        await asyncio.gather(*map(self._end, attempts, lines))

    async def alone(self, attempt: Attempt) -> Attempt:
        """Send one."""
        await self.at_once([attempt])
        return attempt

    async def _begin(self, attempt: Attempt) -> Line | None:
        request = bytes_of(attempt.call, self._place)
        held_back = 1
        if attempt.ending == "cut_sending":
            held_back = self._chance.randint(1, max(1, len(request) - request.index(b"\r\n\r\n") - 4))
        try:
            line = await Line.open(self._place, timeout_seconds=self._timeout_seconds)
        except NoAnswerError as missing:
            attempt.missing = missing
            return None
        await line.send(request[:-held_back])
        return line

    async def _end(self, attempt: Attempt, line: Line | None) -> None:
        if line is None:
            return
        began = time.monotonic()
        try:
            await self._behave(attempt, line)
        except NoAnswerError as missing:
            attempt.missing = missing
        finally:
            line.cut()
        attempt.took = time.monotonic() - began
        if attempt.answer is not None:
            self.slowest_seconds = max(self.slowest_seconds, attempt.took)

    async def _behave(self, attempt: Attempt, line: Line) -> None:
        if attempt.ending == "cut_sending":
            await asyncio.sleep(attempt.patience)
            return
        await line.send(bytes_of(attempt.call, self._place)[-1:])
        if attempt.ending == "cut_waiting":
            await asyncio.sleep(attempt.patience)
        elif attempt.ending == "cut_answering":
            await line.wait_for_answer(timeout_seconds=self._timeout_seconds)
        else:
            attempt.answer = await line.read_answer(attempt.call.method, timeout_seconds=self._timeout_seconds)


Succeeded = Callable[[Answer], bool]


def is_success(answer: Answer) -> bool:
    """Whether an answer gives what was asked for: its status is 2xx."""
    return 200 <= answer.status < 300
