"""The scheduler: tasks that run one at a time, in an order and at times that a seed decides.

A task is a greenlet. It runs the code that runs on threads elsewhere, and switches only where that code waits. No
thread and no clock of the machine decides anything. Time is in microseconds since the run began. Not here: the work of
the tasks.
"""

from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush
from random import Random

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from tests.simulation.trace import Trace

SECOND = 1_000_000
# The longest time that a task runs before it waits again.
STRETCH_MAX = 60


class Ended(BaseException):
    """The task's process has died: the task unwinds, and changes nothing any more."""


class Task:
    """A concurrent task. `turn` counts its wake-ups, so that a late wake-up has no effect."""

    __slots__ = ("coroutine", "done", "joined", "name", "number", "started", "turn", "woken")

    def __init__(self, number: int, name: str) -> None:
        self.number = number
        self.name = name
        self.coroutine = greenlet()
        self.turn = 0
        self.woken = False
        self.started = self.done = False
        self.joined: list[tuple[Task, int]] = []


class Schedule:
    """All tasks and timers of one run."""

    def __init__(self, random: Random, trace: Trace) -> None:
        self.random = random
        self.trace = trace
        self.now = 0
        self._ready: list[Task] = []
        self._timers: list[tuple[int, int, Callable[[], object]]] = []
        self._main = getcurrent()
        self._current: Task | None = None
        self._tasks: dict[Task, None] = {}
        self._started = self._set = 0

    # Called from anywhere.

    def start(self, work: Callable[[], None], name: str) -> Task:
        """Create a task that begins some time later."""
        self._started += 1
        task = Task(self._started, name)
        self._tasks[task] = None
        task.coroutine = greenlet(partial(self._run, task, work), self._main)
        self._ready.append(task)
        return task

    def at(self, delay: int, call: Callable[[], object]) -> None:
        """Call after this delay, outside all tasks; the call may not wait."""
        self._set += 1
        heappush(self._timers, (self.now + delay, self._set, call))

    def wake(self, task: Task, turn: int, woken: bool = True) -> bool:
        """Wake a task that waits since that turn; False if something else has woken it."""
        if task.turn != turn or task.done:
            return False
        task.turn += 1
        task.woken = woken
        self._ready.append(task)
        return True

    # Called from a task.

    def this_turn(self) -> tuple[Task, int]:
        """The running task, and its current turn, for a later `wake`."""
        assert self._current is not None
        return self._current, self._current.turn

    def wait(self, timeout: int | None = None) -> bool:
        """Wait until this task is woken, or for the timeout; returns whether it was woken."""
        task, turn = self.this_turn()
        if timeout is not None:
            self.at(timeout, partial(self.wake, task, turn, False))
        self._main.switch()
        return task.woken

    def pause(self, delay: int) -> None:
        """Sleep for this long."""
        self.wait(delay)

    def pass_on(self) -> None:
        """Yield to other tasks."""
        task, turn = self.this_turn()
        self.wake(task, turn)
        self._main.switch()

    def join(self, task: Task) -> None:
        """Wait for the end of a task."""
        if not task.done:
            task.joined.append(self.this_turn())
            self.wait()

    # Called outside all tasks.

    def step(self) -> bool:
        """Run one timer or one task; False if none is left."""
        while self._timers and self._timers[0][0] <= self.now:
            heappop(self._timers)[2]()
        ready = self._ready
        if not ready:
            if not self._timers:
                return False
            self.now = self._timers[0][0]
            return True
        at = self.random.randrange(len(ready))
        task, ready[at] = ready[at], ready[-1]
        ready.pop()
        self.now += self.random.randrange(STRETCH_MAX)
        self.trace.note(self.now, task.number)
        self._current = task
        task.started = True
        task.coroutine.switch()
        self._current = None
        return True

    def end(self, task: Task) -> None:
        """Kill a task at its current point."""
        task.turn += 1
        if task in self._ready:
            self._ready.remove(task)
        if task.coroutine:
            self._current = task
            task.coroutine.throw(Ended)
            self._current = None
        self._finish(task)

    def end_all(self) -> None:
        """Kill all tasks."""
        for task in list(self._tasks):
            self.end(task)

    def _run(self, task: Task, work: Callable[[], None]) -> None:
        try:
            work()
        except Ended:
            return
        self._finish(task)

    def _finish(self, task: Task) -> None:
        task.done = True
        self._tasks.pop(task, None)
        for waiting, turn in task.joined:
            self.wake(waiting, turn)
        task.joined = []


class Condition:
    """The counterpart of `threading.Condition`; among several waiting tasks a random one is woken."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._waiting: list[tuple[Task, int]] = []

    def __enter__(self) -> bool:
        return True  # nobody else runs until this task waits

    def __exit__(self, *_: object) -> None:
        return

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until notified, or for this many seconds."""
        self._waiting.append(self._schedule.this_turn())
        return self._schedule.wait(None if timeout is None else int(timeout * SECOND))

    def notify(self) -> None:
        """Wake one waiting task."""
        while self._waiting:
            task, turn = self._waiting.pop(self._schedule.random.randrange(len(self._waiting)))
            if self._schedule.wake(task, turn):
                return

    def notify_all(self) -> None:
        """Wake all waiting tasks."""
        waiting, self._waiting = self._waiting, []
        for task, turn in waiting:
            self._schedule.wake(task, turn)
