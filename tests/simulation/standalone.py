"""The simulated store for suites without a scheduler: each call runs in a task to its end."""

from collections.abc import Callable
from random import Random
from typing import TypeVar

from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Catalog
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded
from tests.simulation.database import Database
from tests.simulation.faults import QUIET
from tests.simulation.schedule import Schedule
from tests.simulation.store import SimulatedStore
from tests.simulation.trace import Trace

T = TypeVar("T")


class _Clocked(Database):
    """A database whose clock is the caller's."""

    def __init__(self, schedule: Schedule, catalog: Catalog, clock: Callable[[], int]) -> None:
        super().__init__(schedule, catalog)
        self._clock = clock

    def clock(self) -> int:
        """The caller's clock."""
        return self._clock()


class _FaultlessProcess:
    """A process without faults."""

    faults = QUIET
    skew = 0
    dead = False

    def crash_soon(self) -> None:
        """It never crashes."""
        raise AssertionError("nothing crashes here")


class StandaloneSimulatedStore:
    """A store over its own simulated database."""

    def __init__(self, clock: Callable[[], int], catalog: Catalog) -> None:
        self._schedule = Schedule(Random("alone"), Trace())
        self._store = SimulatedStore(_Clocked(self._schedule, catalog, clock), _FaultlessProcess())

    def load(self, asked: BatchNeeds) -> Loaded:
        """As the store does."""
        return self._run(lambda: self._store.load(asked))

    def append(self, append: Append) -> None:
        """As the store does."""
        self._run(lambda: self._store.append(append))

    def roll_back(self) -> None:
        """As the store does."""
        self._run(self._store.roll_back)

    def was_committed(self, row: Transaction) -> bool:
        """As the store does."""
        return self._run(lambda: self._store.was_committed(row))

    def close(self) -> None:
        """As the store does."""
        self._run(self._store.close)

    def _run(self, call: Callable[[], T]) -> T:
        answers: list[T] = []
        self._schedule.start(lambda: answers.append(call()), "call")
        while self._schedule.step():
            pass
        return answers[0]
