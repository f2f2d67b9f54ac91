"""A client: sends one request after another, and retries each until its outcome is known.

Requests are delayed, overtake each other, arrive twice if they have a key, and are retried while the first attempt
still runs, also on another process. Answers get lost. A request without a key is not retried if it may have been done.
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
from tests.simulation.commands import draw_command
from tests.simulation.faults import MILLISECOND
from tests.simulation.process import Process
from tests.simulation.schedule import Task
from tests.simulation.store import POISON
from tests.simulation.trace import InvariantBroken
from tests.simulation.witness import Arrival, Intent, describe_outcome, is_final

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

TRANSIT_MAX = 3 * MILLISECOND
DUPLICATE_DELAY_MAX = 4_000 * MILLISECOND
TIMEOUTS = (20 * MILLISECOND, 400 * MILLISECOND, 9_000 * MILLISECOND)
# The pauses between retries grow, up to this many tenths of a second.
PAUSES_MAX = 20
# The most attempts of one request in the calm phase.
SENDS_MAX = 200


class Client:
    """One caller; `run` is its task."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._random: Random = simulation.random
        self._schedule = simulation.schedule

    def run(self) -> None:
        """Send new requests until the run has enough."""
        while (intent := self._simulation.next_intent(self._draw)) is not None:
            self.send_until_known(intent)
            self._schedule.pause(self._random.randrange(TRANSIT_MAX))

    def send_until_known(self, intent: Intent) -> None:
        """Send it until its outcome is known, or until it is put off."""
        keyed = intent.request.key is not None
        sends = 0
        while True:
            sends += 1
            if self._simulation.calm and sends > SENDS_MAX:
                raise InvariantBroken(f"request {intent.number} of {intent.account_id} is not answered")
            outcome = self._send(intent)
            if is_final(outcome):
                return
            maybe_done = outcome is None or isinstance(outcome, OutcomeUnknownError)
            if not keyed and (maybe_done or self._random.random() < 0.5):
                return
            if not self._simulation.calm and self._random.random() < self._simulation.faults.abandoned:
                self._simulation.put_off(intent)
                return
            self._schedule.pause(self._random.randrange(min(sends, PAUSES_MAX) * 100 * MILLISECOND))

    def _send(self, intent: Intent) -> "Outcome | None":
        """Send it once, perhaps with a later duplicate; returns the answer, None after a timeout."""
        schedule, random = self._schedule, self._random
        schedule.pause(random.randrange(TRANSIT_MAX))
        if intent.request.key is not None and random.random() < self._simulation.faults.duplicated:
            self._simulation.trace.fault("duplicated", intent.number)
            schedule.at(
                random.randrange(random.choice((TRANSIT_MAX, DUPLICATE_DELAY_MAX))), partial(self._arrive, intent, None)
            )
        mailbox: list[Outcome] = []
        refused = self._arrive(intent, partial(self._hear, schedule.this_turn(), mailbox))
        if refused is not None:
            return refused
        patience = TIMEOUTS[-1] if self._simulation.calm else random.choice(TIMEOUTS)
        schedule.wait(patience)
        return mailbox[0] if mailbox else None

    def _arrive(self, intent: Intent, hear: "Callable[[Outcome], None] | None") -> "Outcome | None":
        """The request reaches a process; only a rejected one is answered at once."""
        simulation = self._simulation
        process = simulation.some_process()
        if process is None:
            simulation.trace.fault("nobody there", intent.number)
            return UnavailableError()
        asked = simulation.witness.sent(intent)
        try:
            future = process.writer.submit_future(intent.request)
        except UnavailableError as error:
            simulation.witness.rejected(intent)
            simulation.trace.fault(error.code, intent.number)
            return error
        simulation.trace.note("asked", intent.account_id, intent.number, process.number)
        if process.writer.waiting > process.bounds.queue_size_max:
            raise InvariantBroken(f"{process.writer.waiting} requests wait in process {process.number}")
        future.add_done_callback(partial(self._answer, intent, process, asked, hear))
        return None

    def _answer(
        self,
        intent: Intent,
        process: Process,
        asked: Arrival,
        hear: "Callable[[Outcome], None] | None",
        future: "Future[Outcome]",
    ) -> None:
        """The answer leaves the process."""
        simulation, outcome = self._simulation, future.result()
        simulation.trace.note("answered", intent.account_id, intent.number, process.number, describe_outcome(outcome))
        simulation.witness.answered(intent, outcome, asked)
        if self._random.random() < simulation.faults.answer_lost:
            simulation.trace.fault("answer lost", intent.number)
        elif hear is not None:
            self._schedule.at(self._random.randrange(TRANSIT_MAX), partial(hear, outcome))

    def _hear(self, waiting: tuple[Task, int], mailbox: "list[Outcome]", outcome: Outcome) -> None:
        """The answer reaches the caller, which may have given up."""
        if self._schedule.wake(*waiting):
            mailbox.append(outcome)

    def _draw(self) -> Intent:
        """A new request."""
        simulation, random = self._simulation, self._random
        account_id, record = simulation.some_account()
        command = draw_command(random, record, simulation.database.clock())
        poisoned = isinstance(command, Consume) and random.random() < simulation.faults.poisoned
        if poisoned and isinstance(command, Consume):
            command = msgspec.structs.replace(command, generation_id=POISON)
        permit = random.choice(simulation.permits) if random.random() < 0.05 else None
        key = None
        if not isinstance(command, Tick) and random.random() < 0.7:
            number = len(simulation.witness.intents) + 1
            # Now and then a key that another request has used.
            value = random.choice(record.keys) if record.keys and random.random() < 0.02 else f"key {number}"
            record.keys.append(value)
            key = Key(value, sha256(str(number).encode()).digest())
        return simulation.witness.intend(command, account_id, key=key, permit=permit, poisoned=poisoned)
