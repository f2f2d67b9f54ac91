"""The workshop: a few worker processes that make pictures, so that none of that work, nor its end, is the server's.

Each bench is an executor of one process: where one breaks, no neighbour's work is lost, and it can be ended alone.
"""

import asyncio
import os
import signal
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context

import structlog

from sixpence_studio.generators import GeneratorError
from sixpence_studio.making import Job, Made, make, settle_in

BENCHES = 2
SECONDS_MAX = 30.0
WAITING_MAX = 16

_log = structlog.get_logger(__name__)


class WorkshopError(Exception):
    """No picture was made, and neither the picture nor its options are to blame."""


class WorkshopFullError(WorkshopError):
    """As many jobs are waiting as may wait."""


class JobTooLongError(WorkshopError):
    """The job took longer than a job may; its process was ended."""


class JobLostError(WorkshopError):
    """The job's process died."""


class JobFailedError(WorkshopError):
    """The generator has a defect; the log has the cause."""


class Workshop:
    """Makes pictures, `benches` at a time; at most `waiting_max` jobs wait for a bench. Nothing runs before `open`."""

    def __init__(
        self, *, benches: int = BENCHES, seconds_max: float = SECONDS_MAX, waiting_max: int = WAITING_MAX
    ) -> None:
        self._benches = [_Bench() for _ in range(benches)]
        self._free: asyncio.LifoQueue[_Bench] = asyncio.LifoQueue()
        for bench in self._benches:
            self._free.put_nowait(bench)
        self._seconds_max = seconds_max
        self._waiting_max = waiting_max
        self._waiting = 0

    def open(self) -> None:
        """Starts the processes, and returns before they are ready; a job would start them, too."""
        for bench in self._benches:
            bench.open()

    def close(self) -> None:
        """Ends the processes and whatever they are doing."""
        for bench in self._benches:
            bench.clear()

    async def make(self, job: Job) -> Made:
        """Does the job at the next free bench; raises the generator's `GeneratorError`, or a `WorkshopError`."""
        bench = await self._free_bench()
        try:
            return await asyncio.wait_for(asyncio.wrap_future(await bench.begin(job)), self._seconds_max)
        except TimeoutError:
            bench.clear()
            _log.warning("job_too_long", feature=job.generator.name, seconds=self._seconds_max)
            raise JobTooLongError(f"The picture was not finished within {self._seconds_max:g} seconds.") from None
        except BrokenProcessPool:
            bench.clear()
            _log.warning("job_lost", feature=job.generator.name)
            raise JobLostError("The generator stopped before the picture was finished.") from None
        except asyncio.CancelledError:
            bench.clear()
            raise
        except GeneratorError:
            raise
        except Exception as error:
            # The boundary to what is not ours: a generator's defect must not look like one of the server's.
            _log.error("generator_failed", feature=job.generator.name, exc_info=error)
            raise JobFailedError("The generator failed.") from error
        finally:
            self._free.put_nowait(bench)

    async def _free_bench(self) -> "_Bench":
        if self._free.empty() and self._waiting >= self._waiting_max:
            raise WorkshopFullError(f"{self._waiting} pictures are waiting to be made already.")
        self._waiting += 1
        try:
            return await self._free.get()
        finally:
            self._waiting -= 1


class _Bench:
    """One worker process, started at first use and again after it was cleared."""

    def __init__(self) -> None:
        self._running: tuple[ProcessPoolExecutor, Future[int]] | None = None

    def open(self) -> tuple[ProcessPoolExecutor, Future[int]]:
        """Gives the executor of the process and its process id to come; starts it where it does not run."""
        if self._running is None:
            # Spawned, not forked: the server has threads, and a fork would copy their locks.
            executor = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=settle_in)
            self._running = executor, executor.submit(os.getpid)
        return self._running

    async def begin(self, job: Job) -> Future[Made]:
        """Hands the job over, once the process is ready for it; raises `BrokenProcessPool` where it does not get so."""
        executor, pid = self.open()
        if not await _lives(pid):
            # It died while nobody used it, which is no fault of this job. Its executor may not have noticed yet.
            self.clear()
            executor, pid = self.open()
            await _lives(pid)
        return executor.submit(make, job)

    def clear(self) -> None:
        """Ends the process, whatever it is doing; an executor itself would let it finish."""
        if self._running is None:
            return
        executor, pid = self._running
        self._running = None
        if pid.done() and not pid.cancelled() and pid.exception() is None:
            _end(pid.result())
        executor.shutdown(wait=False, cancel_futures=True)


async def _lives(pid: Future[int]) -> bool:
    try:
        return await asyncio.shield(asyncio.wrap_future(pid)) in {child.pid for child in active_children()}
    except BrokenProcessPool:
        return False


def _end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
