"""The waves of a race: each sends calls in a way that reveals one kind of mistake.

Not here: judging a wave (`judging.judge`). To add a wave, write a function here and a line in `WAVES`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec

from sixpence.testing.races.client.attempts import HANG_UPS, Attempt, Client, Succeeded
from sixpence.testing.races.client.calls import KeyedCall

WaveName = Literal["at_once", "same_key", "other_request", "lost_answers", "hang_ups", "failures"]

# How many keys one wave repeats, and how often a client retries after a lost answer.
_REPEATED_KEYS = 3
_RETRIES_MAX = 5
# The statuses after which a client library retries under the same key.
_RETRY_STATUSES = {408, 409, 423, 425, 429, 500, 502, 503, 504}


class WaveContext(msgspec.Struct, frozen=True, kw_only=True):
    """The input of a wave: the calls, their number, and the random numbers, which follow from the seed."""

    client: Client
    new_key: Callable[[], str]
    call: KeyedCall
    failing: KeyedCall | None
    other: KeyedCall | None
    calls: int
    rng: random.Random
    succeeded: Succeeded
    # The duration of a single call.
    call_seconds: float

    def attempt(self, key: str | None = None, **options: object) -> Attempt:
        """An attempt of the call with this key, or with a new one."""
        key = key or self.new_key()
        return Attempt(key=key, call=self.call(key), **options)  # type: ignore[arg-type]


class Wave(msgspec.Struct, frozen=True):
    """A wave: `scarce` ones run with credits for a third of their calls, the others with enough."""

    run: Callable[[WaveContext], Awaitable[list[Attempt]]]
    says: str
    scarce: bool = False
    needs: Literal["failing", "other"] | None = None


async def _at_once(context: WaveContext) -> list[Attempt]:
    attempts = [context.attempt() for _ in range(context.calls)]
    await context.client.send_together(attempts)
    return attempts


async def _same_key(context: WaveContext) -> list[Attempt]:
    keys = [context.new_key() for _ in range(_REPEATED_KEYS)]
    together = [context.attempt(key) for key in keys for _ in range(max(2, context.calls // _REPEATED_KEYS))]
    context.rng.shuffle(together)
    await context.client.send_together(together)
    afterwards = [context.attempt(key) for key in keys]
    await context.client.send_together(afterwards)
    return together + afterwards


async def _other_request(context: WaveContext) -> list[Attempt]:
    assert context.other is not None
    first = [context.attempt() for _ in range(_REPEATED_KEYS)]
    await context.client.send_together(first)
    others = [Attempt(key=each.key, call=context.other(each.key), purpose="other") for each in first]
    await context.client.send_together(others)
    return first + others


async def _lost_answers(context: WaveContext) -> list[Attempt]:
    first = []
    for number in range(context.calls):
        # Every second answer is lost after it arrived; the other clients hang up before theirs.
        hang_up_seconds = context.rng.uniform(0, context.call_seconds)
        ending = "cut_waiting" if number % 2 else "lost"
        first.append(context.attempt(ending=ending, hang_up_seconds=hang_up_seconds))
    await context.client.send_together(first)
    retries = await asyncio.gather(*(_retry(context, each.key) for each in first))
    return first + [each for of_key in retries for each in of_key]


async def _retry(context: WaveContext, key: str) -> list[Attempt]:
    """Send the same call under the same key until it is served, or refused for good."""
    attempts: list[Attempt] = []
    while len(attempts) < _RETRIES_MAX:
        last = await context.client.send(context.attempt(key))
        attempts.append(last)
        if last.answer is None or context.succeeded(last.answer) or last.answer.status not in _RETRY_STATUSES:
            break
        await asyncio.sleep(context.call_seconds)
    return attempts


async def _hang_ups(context: WaveContext) -> list[Attempt]:
    attempts = []
    for number in range(context.calls):
        # Every fourth client waits for its answer, so that the wave also proves something about served calls.
        hang_up_seconds = context.rng.uniform(0, context.call_seconds)
        ending = HANG_UPS[number % 4 - 1] if number % 4 else "read"
        attempts.append(context.attempt(ending=ending, hang_up_seconds=hang_up_seconds))
    context.rng.shuffle(attempts)
    await context.client.send_together(attempts)
    return attempts


async def _failures(context: WaveContext) -> list[Attempt]:
    assert context.failing is not None
    keys = [context.new_key() for _ in range(max(1, context.calls // 2))]
    attempts = [Attempt(key=key, call=context.failing(key), purpose="failing") for key in keys]
    await context.client.send_together(attempts)
    return attempts


WAVES: Mapping[WaveName, Wave] = {
    "at_once": Wave(_at_once, "different calls at the same moment, with credits for a third of them", scarce=True),
    "same_key": Wave(_same_key, "the same calls under the same keys, together and once more afterwards"),
    "other_request": Wave(_other_request, "another request under a used key", needs="other"),
    "lost_answers": Wave(_lost_answers, "lost answers, after which the calls are sent again under their keys"),
    "hang_ups": Wave(_hang_ups, "clients that hang up while they send, wait, or are answered"),
    "failures": Wave(_failures, "calls whose work fails", needs="failing"),
}
