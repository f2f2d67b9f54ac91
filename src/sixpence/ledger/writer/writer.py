"""The writer: one a process. It collects the commands that arrive while earlier batches commit, and runs them as one.

Group commit without a timer: at low load a batch is one command, at high load it grows by itself. An answer leaves only
after COMMIT; a caller that goes away cancels nothing.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from sixpence.core.errors import AccountBusyError, CreditSystemError, InternalError, QueueFullError, ServiceClosedError
from sixpence.ledger.writer.batch import Accepted, Outcome, Request
from sixpence.ledger.writer.lane import Lane
from sixpence.ledger.writer.queue import CommandQueue, Taken, Waiting
from sixpence.ledger.writer.runtime import ON_THREADS, Running
from sixpence.ledger.writer.store import Store

_log = logging.getLogger(__name__)

T = TypeVar("T")
QUEUE_SIZE_MAX = 10_000
BATCH_SIZE_MAX = 500
WAIT_SECONDS_MAX = 5.0


class _Waiter:
    """Who waits for an outcome: a future of an event loop, or of a thread."""

    __slots__ = ("future", "loop", "request")

    def __init__(self, request: Request, loop: asyncio.AbstractEventLoop | None) -> None:
        self.request = request
        self.loop = loop
        self.future: asyncio.Future[Outcome] | Future[Outcome] = Future() if loop is None else loop.create_future()


_Entry = Waiting[_Waiter]


class Writer:
    """Runs requests in batches, in one loop for each store; at most `queue_size_max` requests wait."""

    def __init__(
        self,
        stores: Sequence[Store],
        *,
        queue_size_max: int = QUEUE_SIZE_MAX,
        batch_size_max: int = BATCH_SIZE_MAX,
        wait_seconds_max: float = WAIT_SECONDS_MAX,
        running: Running = ON_THREADS,
    ) -> None:
        self._queue: CommandQueue[_Waiter] = CommandQueue(size_max=queue_size_max, running=running)
        self._monotonic = running.monotonic
        self._batch_size_max = batch_size_max
        self._wait_seconds_max = wait_seconds_max
        self._join = [
            running.start(partial(self._work, Lane(store, running)), f"sixpence-writer-{number}")
            for number, store in enumerate(stores)
        ]

    @property
    def waiting(self) -> int:
        """How many requests wait for a batch."""
        return len(self._queue)

    @property
    def wait_seconds(self) -> float:
        """How long a request that comes now is likely to wait for its batch."""
        return self._queue.wait_seconds

    async def submit(self, request: Request) -> Accepted:
        """Run the request and wait for its outcome; cancelling the caller does not cancel the change."""
        waiter = self._put(request, asyncio.get_running_loop())
        assert isinstance(waiter.future, asyncio.Future)
        return _accepted(await waiter.future)

    def begin(self, request: Request) -> "Future[Outcome]":
        """Let the request run; the future will hold its outcome, a refusal, too, as a value."""
        waiter = self._put(request, None)
        assert isinstance(waiter.future, Future)
        return waiter.future

    def submit_and_wait(self, request: Request) -> Accepted:
        """Run the request and block this thread until its outcome is there."""
        return _accepted(self.begin(request).result())

    def run_job(self, job: Callable[[], T]) -> "Future[T]":
        """Run a function on a writer's thread between two batches."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it belongs to whoever asked
                future.set_exception(error)

        if not self._queue.put_job(run):
            future.set_exception(ServiceClosedError())
        return future

    def close(self) -> None:
        """Accept nothing more, finish what waits, and end the loops."""
        self._queue.close()
        for join in self._join:
            join()

    def _put(self, request: Request, loop: asyncio.AbstractEventLoop | None) -> _Waiter:
        waiter = _Waiter(request, loop)
        deadline = self._monotonic() + self._wait_seconds_max
        accepted = self._queue.put(Waiting(request.account_id, deadline, waiter))
        if accepted is None:
            raise ServiceClosedError
        if not accepted:
            raise QueueFullError
        return waiter

    def _work(self, lane: Lane) -> None:
        while True:
            taken = self._queue.take(self._batch_size_max)
            if taken is None:
                break
            if isinstance(taken, Taken):
                self._run(lane, taken)
            else:
                taken()
        lane.close()

    def _run(self, lane: Lane, taken: Taken[_Waiter]) -> None:
        _deliver([(e.item, AccountBusyError() if e.held_elsewhere else QueueFullError()) for e in taken.late])
        if not taken.entries:
            return
        outcomes: list[Outcome | None]
        try:
            outcomes = lane.run([entry.item.request for entry in taken.entries], wait=taken.wait)
        except Exception:  # noqa: BLE001
            # The last boundary: a defect of ours ends this batch, never the writer.
            _log.exception("a batch failed")
            outcomes = [InternalError()] * len(taken.entries)
        finished: list[tuple[_Waiter, Outcome]] = []
        again: list[_Entry] = []
        for entry, outcome in zip(taken.entries, outcomes, strict=True):
            if outcome is None:
                again.append(entry)
            else:
                finished.append((entry.item, outcome))
        self._queue.done({entry.account_id: None for entry in taken.entries}, again)
        _deliver(finished)


def _accepted(outcome: Outcome) -> Accepted:
    if isinstance(outcome, CreditSystemError):
        # One outcome may answer several requests, and each raise adds its own traceback.
        raise type(outcome)(*outcome.args)
    return outcome


def _deliver(finished: list[tuple[_Waiter, Outcome]]) -> None:
    """Hand the outcomes over: one wake-up for each event loop, however many of its callers wait."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiter, Outcome]]] = {}
    for waiter, outcome in finished:
        if waiter.loop is None:
            waiter.future.set_result(outcome)
        else:
            by_loop.setdefault(waiter.loop, []).append((waiter, outcome))
    for loop, part in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, part)
        except RuntimeError:
            _log.info("the event loop of %d callers has closed; their changes stand", len(part))


def _settle(finished: list[tuple[_Waiter, Outcome]]) -> None:
    for waiter, outcome in finished:
        if not waiter.future.done():
            waiter.future.set_result(outcome)
