"""A client: wants one thing after another, sends it until it knows what became of it, and may hear nothing back.

Requests take their time, overtake each other, arrive twice where they carry a key, and are sent again, also to another
process, while the first one still runs. Answers get lost. A client without a key does not send again what may have
been done.
"""

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING

import msgspec

from sixpence.core.account.commands import Consume, Key, Tick
from sixpence.core.errors import OutcomeUnknownError, UnavailableError
from sixpence.ledger.writer.batch import Outcome
from tests.simulation.asking import draw_command
from tests.simulation.faults import MILLISECOND
from tests.simulation.process import Process
from tests.simulation.schedule import Task
from tests.simulation.store import POISON
from tests.simulation.trace import Wrong
from tests.simulation.witness import Asked, Intent, is_last_word, said

if TYPE_CHECKING:
    from tests.simulation.world import World

ON_THE_WAY_MAX = 3 * MILLISECOND
LATE_MAX = 4_000 * MILLISECOND
PATIENCES = (20 * MILLISECOND, 400 * MILLISECOND, 9_000 * MILLISECOND)
# A caller that is not answered asks less and less often, up to so many tenths of a second apart.
PAUSES_MAX = 20
# How often one thing is sent once nothing goes wrong any more.
SENDS_MAX = 200


class Client:
    """One caller; `run` is its task."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._random: Random = world.random
        self._schedule = world.schedule

    def run(self) -> None:
        """Want things as long as there is something to want."""
        while (intent := self._world.next_intent(self._draw)) is not None:
            self.see_to(intent)
            self._schedule.pause(self._random.randrange(ON_THE_WAY_MAX))

    def see_to(self, intent: Intent) -> None:
        """Send it until its outcome is known, or until it is left for later."""
        keyed = intent.request.key is not None
        sends = 0
        while True:
            sends += 1
            if self._world.calm and sends > SENDS_MAX:
                raise Wrong(f"request {intent.number} of {intent.account_id} is not answered")
            outcome = self._send(intent)
            if is_last_word(outcome):
                return
            maybe_done = outcome is None or isinstance(outcome, OutcomeUnknownError)
            if not keyed and (maybe_done or self._random.random() < 0.5):
                return
            if not self._world.calm and self._random.random() < self._world.faults.abandoned:
                self._world.leave_for_later(intent)
                return
            self._schedule.pause(self._random.randrange(min(sends, PAUSES_MAX) * 100 * MILLISECOND))

    def _send(self, intent: Intent) -> "Outcome | None":
        """Send it once, perhaps with a copy that comes later; the answer, None where none came in time."""
        schedule, random = self._schedule, self._random
        schedule.pause(random.randrange(ON_THE_WAY_MAX))
        if intent.request.key is not None and random.random() < self._world.faults.duplicated:
            self._world.trace.fault("duplicated", intent.number)
            schedule.at(
                random.randrange(random.choice((ON_THE_WAY_MAX, LATE_MAX))), partial(self._arrive, intent, None)
            )
        mailbox: list[Outcome] = []
        refused = self._arrive(intent, partial(self._hear, schedule.this_turn(), mailbox))
        if refused is not None:
            return refused
        patience = PATIENCES[-1] if self._world.calm else random.choice(PATIENCES)
        schedule.wait(patience)
        return mailbox[0] if mailbox else None

    def _arrive(self, intent: Intent, hear: "Callable[[Outcome], None] | None") -> "Outcome | None":
        """The request reaches a process; an answer at once only where it is not taken."""
        world = self._world
        process = world.some_process()
        if process is None:
            world.trace.fault("nobody there", intent.number)
            return UnavailableError()
        asked = world.witness.sent(intent)
        try:
            future = process.writer.submit_future(intent.request)
        except UnavailableError as error:
            world.witness.turned_away(intent)
            world.trace.fault(error.code, intent.number)
            return error
        world.trace.note("asked", intent.account_id, intent.number, process.number)
        if process.writer.waiting > process.bounds.queue_size_max:
            raise Wrong(f"{process.writer.waiting} requests wait in process {process.number}")
        future.add_done_callback(partial(self._answer, intent, process, asked, hear))
        return None

    def _answer(
        self,
        intent: Intent,
        process: Process,
        asked: Asked,
        hear: "Callable[[Outcome], None] | None",
        future: "Future[Outcome]",
    ) -> None:
        """The answer leaves the process."""
        world, outcome = self._world, future.result()
        world.trace.note("answered", intent.account_id, intent.number, process.number, said(outcome))
        world.witness.answered(intent, outcome, asked)
        if self._random.random() < world.faults.answer_lost:
            world.trace.fault("answer lost", intent.number)
        elif hear is not None:
            self._schedule.at(self._random.randrange(ON_THE_WAY_MAX), partial(hear, outcome))

    def _hear(self, waiting: tuple[Task, int], mailbox: "list[Outcome]", outcome: Outcome) -> None:
        """The answer reaches the caller, who may have given up."""
        if self._schedule.wake(*waiting):
            mailbox.append(outcome)

    def _draw(self) -> Intent:
        """Something new to want."""
        world, random = self._world, self._random
        account_id, book = world.some_account()
        command = draw_command(random, book, world.database.clock())
        poisoned = isinstance(command, Consume) and random.random() < world.faults.poisoned
        if poisoned and isinstance(command, Consume):
            command = msgspec.structs.replace(command, generation_id=POISON)
        permit = random.choice(world.permits) if random.random() < 0.05 else None
        key = None
        if not isinstance(command, Tick) and random.random() < 0.7:
            number = len(world.witness.intents) + 1
            # Now and then a key that was used before for something else.
            value = random.choice(book.keys) if book.keys and random.random() < 0.02 else f"key {number}"
            book.keys.append(value)
            key = Key(value, sha256(str(number).encode()).digest())
        return world.witness.intend(command, account_id, key=key, permit=permit, poisoned=poisoned)
