"""The writer, one per process: it queues the commands that arrive while earlier batches commit, and runs them as one.

Group commit without a timer: at low load a batch is one command, at high load it grows. A command is answered after
COMMIT. Cancelling a caller does not cancel its command.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from sixpence.core.errors import AccountBusyError, InternalError, QueueFullError, ServiceClosedError
from sixpence.ledger.writer.batch import Accepted, Outcome, Request, accepted_or_raise
from sixpence.ledger.writer.queue import CommandQueue, QueueBatch, QueueEntry
from sixpence.ledger.writer.runtime import THREADS, Runtime
from sixpence.ledger.writer.store import Store
from sixpence.ledger.writer.worker import BatchWorker

_log = logging.getLogger(__name__)

T = TypeVar("T")
QUEUE_SIZE_MAX = 10_000
BATCH_SIZE_MAX = 500
WAIT_SECONDS_MAX = 5.0


class _Waiter:
    """A request and the future of its outcome: an event loop's, or a thread's when `loop` is None."""

    __slots__ = ("future", "loop", "request")

    def __init__(self, request: Request, loop: asyncio.AbstractEventLoop | None) -> None:
        self.request = request
        self.loop = loop
        self.future: asyncio.Future[Outcome] | Future[Outcome] = Future() if loop is None else loop.create_future()


_Entry = QueueEntry[_Waiter]


class Writer:
    """Runs requests in batches, in one loop for each store; at most `queue_size_max` requests wait."""

    def __init__(
        self,
        stores: Sequence[Store],
        *,
        queue_size_max: int = QUEUE_SIZE_MAX,
        batch_size_max: int = BATCH_SIZE_MAX,
        wait_seconds_max: float = WAIT_SECONDS_MAX,
        runtime: Runtime = THREADS,
    ) -> None:
        self._queue: CommandQueue[_Waiter] = CommandQueue(size_max=queue_size_max, runtime=runtime)
        self._monotonic = runtime.monotonic
        self._batch_size_max = batch_size_max
        self._wait_seconds_max = wait_seconds_max
        self._join = [
            runtime.start(partial(self._work, BatchWorker(store, runtime)), f"sixpence-writer-{number}")
            for number, store in enumerate(stores)
        ]

    @property
    def waiting(self) -> int:
        """How many requests wait for a batch."""
        return len(self._queue)

    @property
    def wait_seconds(self) -> float:
        """How long a new request will probably wait for its batch."""
        return self._queue.wait_seconds

    async def submit(self, request: Request) -> Accepted:
        """Run the request and wait for its outcome; cancelling the caller does not cancel the change."""
        waiter = self._put(request, asyncio.get_running_loop())
        assert isinstance(waiter.future, asyncio.Future)
        return accepted_or_raise(await waiter.future)

    def submit_future(self, request: Request) -> "Future[Outcome]":
        """Queue the request; the future's result is its outcome, a refusal included."""
        waiter = self._put(request, None)
        assert isinstance(waiter.future, Future)
        return waiter.future

    def submit_and_wait(self, request: Request) -> Accepted:
        """Run the request and block this thread until its outcome."""
        return accepted_or_raise(self.submit_future(request).result())

    def run_job(self, job: Callable[[], T]) -> "Future[T]":
        """Run a function on a worker's thread between two batches."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - the caller's error
                future.set_exception(error)

        if not self._queue.put_job(run):
            future.set_exception(ServiceClosedError())
        return future

    def close(self) -> None:
        """Refuse new requests, finish the queued ones, and end the workers."""
        self._queue.close()
        for join in self._join:
            join()

    def _put(self, request: Request, loop: asyncio.AbstractEventLoop | None) -> _Waiter:
        waiter = _Waiter(request, loop)
        deadline = self._monotonic() + self._wait_seconds_max
        accepted = self._queue.put(QueueEntry(request.account_id, deadline, waiter))
        if accepted is None:
            raise ServiceClosedError
        if not accepted:
            raise QueueFullError
        return waiter

    def _work(self, worker: BatchWorker) -> None:
        while True:
            taken = self._queue.take(self._batch_size_max)
            if taken is None:
                break
            if isinstance(taken, QueueBatch):
                self._run(worker, taken)
            else:
                taken()
        worker.close()

    def _run(self, worker: BatchWorker, taken: QueueBatch[_Waiter]) -> None:
        _deliver([(e.item, AccountBusyError() if e.locked_elsewhere else QueueFullError()) for e in taken.expired])
        if not taken.entries:
            return
        outcomes: list[Outcome | None]
        try:
            outcomes = worker.run([entry.item.request for entry in taken.entries], wait=taken.wait)
        except Exception:  # noqa: BLE001
            # The last boundary: a defect fails this batch and never ends the writer.
            _log.exception("a batch failed")
            outcomes = [InternalError()] * len(taken.entries)
        finished: list[tuple[_Waiter, Outcome]] = []
        blocked: list[_Entry] = []
        for entry, outcome in zip(taken.entries, outcomes, strict=True):
            if outcome is None:
                blocked.append(entry)
            else:
                finished.append((entry.item, outcome))
        self._queue.finish({entry.account_id: None for entry in taken.entries}, blocked)
        _deliver(finished)


def _deliver(finished: list[tuple[_Waiter, Outcome]]) -> None:
    """Set the outcomes: one wake-up per event loop, however many of its callers wait."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiter, Outcome]]] = {}
    for waiter, outcome in finished:
        if waiter.loop is None:
            waiter.future.set_result(outcome)
        else:
            by_loop.setdefault(waiter.loop, []).append((waiter, outcome))
    for loop, part in by_loop.items():
        try:
            loop.call_soon_threadsafe(_set_results, part)
        except RuntimeError:
            _log.info("the event loop of %d callers has closed; their changes are committed", len(part))


def _set_results(finished: list[tuple[_Waiter, Outcome]]) -> None:
    for waiter, outcome in finished:
        if not waiter.future.done():
            waiter.future.set_result(outcome)
