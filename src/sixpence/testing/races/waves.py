"""The waves of a race: each sends calls in the way in which one kind of mistake shows.

What an app made of a wave is judged by `judge`. To add a wave: a function here, a line in `WAVES`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec

from sixpence.testing.races.attempts import CUTS, Attempt, Sending, Succeeded
from sixpence.testing.races.calls import KeyedCall

WaveName = Literal["at_once", "same_key", "other_request", "lost_answers", "hang_ups", "failures"]

# How many keys are repeated in one wave, and how often a client asks again after it lost an answer.
_KEYS = 3
_REPEATS_MAX = 5
# What a client library takes as "not now": ask again under the same key.
_ASK_AGAIN = {408, 409, 423, 425, 429, 500, 502, 503, 504}


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """What a wave is made from: the calls, how many, and chance, which the seed decides."""

    sending: Sending
    new_key: Callable[[], str]
    call: KeyedCall
    failing: KeyedCall | None
    other: KeyedCall | None
    calls: int
    chance: random.Random
    succeeded: Succeeded
    # How long one call alone takes, in seconds.
    pace: float

    def attempt(self, key: str | None = None, **how: object) -> Attempt:
        """An attempt of this key's call, or of a new key's."""
        key = key or self.new_key()
        return Attempt(key=key, call=self.call(key), **how)  # type: ignore[arg-type]


class Wave(msgspec.Struct, frozen=True):
    """A wave: `scarce` ones run with credits for a third of their calls, the others with enough."""

    run: Callable[[Course], Awaitable[list[Attempt]]]
    says: str
    scarce: bool = False
    needs: Literal["failing", "other"] | None = None


async def _at_once(course: Course) -> list[Attempt]:
    attempts = [course.attempt() for _ in range(course.calls)]
    await course.sending.at_once(attempts)
    return attempts


async def _same_key(course: Course) -> list[Attempt]:
    keys = [course.new_key() for _ in range(_KEYS)]
    together = [course.attempt(key) for key in keys for _ in range(max(2, course.calls // _KEYS))]
    course.chance.shuffle(together)
    await course.sending.at_once(together)
    afterwards = [course.attempt(key) for key in keys]
    await course.sending.at_once(afterwards)
    return together + afterwards


async def _other_request(course: Course) -> list[Attempt]:
    assert course.other is not None
    first = [course.attempt() for _ in range(_KEYS)]
    await course.sending.at_once(first)
    others = [Attempt(key=each.key, call=course.other(each.key), meant="other") for each in first]
    await course.sending.at_once(others)
    return first + others


async def _lost_answers(course: Course) -> list[Attempt]:
    first = []
    for number in range(course.calls):
        # Every second answer gets lost on its way; the others' clients do not wait for theirs.
        patience = course.chance.uniform(0, course.pace)
        first.append(course.attempt(ending="cut_waiting" if number % 2 else "lost", patience=patience))
    await course.sending.at_once(first)
    repeats = await asyncio.gather(*(_ask_again(course, each.key) for each in first))
    return first + [each for of_key in repeats for each in of_key]


async def _ask_again(course: Course, key: str) -> list[Attempt]:
    """The same call under the same key until it is served, or refused for good."""
    attempts: list[Attempt] = []
    while len(attempts) < _REPEATS_MAX:
        last = await course.sending.alone(course.attempt(key))
        attempts.append(last)
        if last.answer is None or course.succeeded(last.answer) or last.answer.status not in _ASK_AGAIN:
            break
        await asyncio.sleep(course.pace)
    return attempts


async def _hang_ups(course: Course) -> list[Attempt]:
    attempts = []
    for number in range(course.calls):
        # Every fourth client stays, so that the wave proves something about those who are served, too.
        patience = course.chance.uniform(0, course.pace)
        ending = CUTS[number % 4 - 1] if number % 4 else "read"
        attempts.append(course.attempt(ending=ending, patience=patience))
    course.chance.shuffle(attempts)
    await course.sending.at_once(attempts)
    return attempts


async def _failures(course: Course) -> list[Attempt]:
    assert course.failing is not None
    keys = [course.new_key() for _ in range(max(1, course.calls // 2))]
    attempts = [Attempt(key=key, call=course.failing(key), meant="failing") for key in keys]
    await course.sending.at_once(attempts)
    return attempts


WAVES: Mapping[WaveName, Wave] = {
    "at_once": Wave(_at_once, "different calls at the same moment, with credits for a third of them", scarce=True),
    "same_key": Wave(_same_key, "the same calls under the same keys, together and once more afterwards"),
    "other_request": Wave(_other_request, "another request under a key that was used", needs="other"),
    "lost_answers": Wave(_lost_answers, "answers that got lost, and the calls sent again under their keys"),
    "hang_ups": Wave(_hang_ups, "clients that hang up while sending, while waiting and while being answered"),
    "failures": Wave(_failures, "calls whose work fails", needs="failing"),
}
