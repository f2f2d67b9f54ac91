"""A few worker processes that make pictures, so that a slow, failing or dying generator does not harm the server.

Each worker is an executor with one process: if one breaks, the others keep their work, and one can be killed alone.
"""

import asyncio
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context

import structlog

from sixpence_studio.generators import GeneratorError
from sixpence_studio.orders.job import Job, Made, prepare_worker, run_job

WORKERS = 2
SECONDS_MAX = 30.0
WAITING_MAX = 16

_log = structlog.get_logger(__name__)


class WorkerPoolError(Exception):
    """No picture was made, and neither the source picture nor the options are the cause."""


class WorkerPoolFullError(WorkerPoolError):
    """Too many jobs are waiting."""


class JobTooLongError(WorkerPoolError):
    """The job exceeded its time limit; its process was killed."""


class JobLostError(WorkerPoolError):
    """The job's process died."""


class JobFailedError(WorkerPoolError):
    """The generator raised an unexpected exception; the log has the cause."""


class WorkerPool:
    """Makes `workers` pictures at a time; at most `waiting_max` jobs wait. `open` or a job starts the workers."""

    def __init__(
        self, *, workers: int = WORKERS, seconds_max: float = SECONDS_MAX, waiting_max: int = WAITING_MAX
    ) -> None:
        self._workers = [_Worker() for _ in range(workers)]
        self._free: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._free.put_nowait(worker)
        self._seconds_max = seconds_max
        self._waiting_max = waiting_max
        self._waiting = 0

    def open(self) -> None:
        """Start the processes, and return before they are ready; a job would start them, too."""
        for worker in self._workers:
            worker.open()

    def close(self) -> None:
        """Kill the processes and cancel their jobs."""
        for worker in self._workers:
            worker.kill()

    async def make(self, job: Job) -> Made:
        """Run the job in the next free worker; raises the generator's `GeneratorError`, or a `WorkerPoolError`."""
        worker = await self._free_worker()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(await worker.begin(job)), self._seconds_max)
        except TimeoutError:
            worker.kill()
            _log.warning("job_too_long", feature=job.generator.name, seconds=self._seconds_max)
            raise JobTooLongError(f"The picture was not finished within {self._seconds_max:g} seconds.") from None
        except BrokenProcessPool:
            worker.kill()
            _log.warning("job_lost", feature=job.generator.name)
            raise JobLostError("The generator stopped before the picture was finished.") from None
        except asyncio.CancelledError:
            worker.kill()
            raise
        except GeneratorError:
            raise
        except Exception as error:
            # Generators are other people's code: a defect of one must not look like a defect of the server.
            _log.error("generator_failed", feature=job.generator.name, exc_info=error)
            raise JobFailedError("The generator failed.") from error
        finally:
            self._free.put_nowait(worker)

    async def _free_worker(self) -> "_Worker":
        if self._free.empty() and self._waiting >= self._waiting_max:
            raise WorkerPoolFullError(f"{self._waiting} pictures are waiting to be made already.")
        self._waiting += 1
        try:
            return await self._free.get()
        finally:
            self._waiting -= 1


class _Worker:
    """One worker process, started at first use and again after it was killed."""

    def __init__(self) -> None:
        self._running: tuple[ProcessPoolExecutor, Future[int]] | None = None

    def open(self) -> tuple[ProcessPoolExecutor, Future[int]]:
        """Return the executor and a future of its process id; starts the process if it does not run."""
        if self._running is None:
            # Spawned, not forked: the server has threads, and a fork would copy their locks.
            executor = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=prepare_worker)
            self._running = executor, executor.submit(os.getpid)
        return self._running

    async def begin(self, job: Job) -> Future[Made]:
        """Submit the job once the process is ready; raises `BrokenProcessPool` if it does not become ready."""
        executor, pid = self.open()
        if not await _is_alive(pid):
            # It died while it was idle, which must not fail this job. Its executor may not have noticed yet.
            self.kill()
            executor, pid = self.open()
            await _is_alive(pid)
        return executor.submit(run_job, job)

    def kill(self) -> None:
        """Kill the process; the executor itself would let it finish."""
        if self._running is None:
            return
        executor, pid = self._running
        self._running = None
        if pid.done() and not pid.cancelled() and pid.exception() is None:
            _terminate(pid.result())
        executor.shutdown(wait=False, cancel_futures=True)


async def _is_alive(pid: Future[int]) -> bool:
    try:
        return await asyncio.shield(asyncio.wrap_future(pid)) in {child.pid for child in active_children()}
    except BrokenProcessPool:
        return False


def _terminate(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
