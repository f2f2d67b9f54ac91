"""A process of the simulation: the real writer with a store for each of its lanes; it may die at any moment."""

from collections.abc import Callable
from functools import partial

import msgspec

from sixpence.ledger.writer.runtime import Runtime
from sixpence.ledger.writer.writer import Writer
from tests.simulation.database import Database
from tests.simulation.faults import QUIET, Faults
from tests.simulation.schedule import SECOND, Condition, Schedule, Task
from tests.simulation.store import SimulatedStore

BATCHES_IN_FLIGHT = 2
MakeStore = Callable[[Database, "Process"], SimulatedStore]


class Bounds(msgspec.Struct, frozen=True):
    """The limits of a process's writer."""

    queue_size_max: int = 1_000
    batch_size_max: int = 50
    wait_seconds_max: float = 5.0


class Process:
    """A process until its end; a restart creates another one. `skew` is the error of its clock in microseconds."""

    def __init__(
        self, number: int, database: Database, make_store: MakeStore, *, bounds: Bounds, faults: Faults, skew: int = 0
    ) -> None:
        self.number = number
        self.bounds = bounds
        self.faults = faults
        self.skew = skew
        self.dead = False
        self.closing = False
        self._schedule: Schedule = database.schedule
        self._began = self._schedule.random.randrange(10**12)
        self._tasks: list[Task] = []
        self._stores = [make_store(database, self) for _ in range(BATCHES_IN_FLIGHT)]
        self.writer = Writer(
            self._stores,
            queue_size_max=bounds.queue_size_max,
            batch_size_max=bounds.batch_size_max,
            wait_seconds_max=bounds.wait_seconds_max,
            runtime=Runtime(
                monotonic=self._monotonic,
                pause=lambda seconds: self._schedule.pause(int(seconds * SECOND)),
                condition=partial(Condition, self._schedule),
                start=self._start,
            ),
        )

    @property
    def accepts_requests(self) -> bool:
        """Whether it accepts requests."""
        return not self.dead and not self.closing

    def crash_soon(self) -> None:
        """Die before any other task runs."""
        self._schedule.at(0, self.crash)

    def crash(self) -> None:
        """Die: all its tasks end; only its sessions on the server may still commit."""
        if self.dead:
            return
        self.dead = True
        self._schedule.trace.note("dies", self.number)
        random = self._schedule.random
        for store in self._stores:
            if store.session is not None:
                store.session.linger(random.randrange(self.faults.lingers_max), commits=random.random() < 0.5)
        for task in self._tasks:
            self._schedule.end(task)

    def close(self) -> None:
        """Accept no more requests and finish the waiting ones, in a separate task."""
        self.closing = True
        self._schedule.start(self.writer.close, f"process {self.number} closes")

    def calm(self) -> None:
        """No more faults."""
        self.faults = QUIET

    @property
    def ended(self) -> bool:
        """Whether all its loops have ended."""
        return all(task.done for task in self._tasks)

    def _monotonic(self) -> float:
        return (self._began + self._schedule.now) / SECOND

    def _start(self, work: Callable[[], None], name: str) -> Callable[[], None]:
        task = self._schedule.start(work, f"{name} of process {self.number}")
        self._tasks.append(task)
        return partial(self._schedule.join, task)
