"""The worker pool: its limits of workers, waiting jobs and time, and the replacement of dead workers."""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator

import pytest

from sixpence_studio.generators import PictureError
from sixpence_studio.orders.job import Job
from sixpence_studio.orders.worker_pool import (
    JobFailedError,
    JobLostError,
    JobTooLongError,
    WorkerPool,
    WorkerPoolFullError,
)
from tests.studio.mirror_generator import MirrorGenerator
from tests.studio.served import ROOM

# Long enough for a new process to import its libraries on a busy machine.
LIMIT_SECONDS = 8.0


@pytest.fixture
async def pool() -> AsyncIterator[WorkerPool]:
    """A pool with one worker, in which one more job may wait, with the time limit of the studio."""
    opened = WorkerPool(workers=1, waiting_max=1)
    yield opened
    opened.close()


def job(behaviour: str = "quick", picture: bytes = ROOM) -> Job:
    """A job that mirrors a picture, with a behaviour."""
    return Job(MirrorGenerator(), picture, {"behaviour": behaviour}, seed=1)


async def test_job_returns_original_and_result(pool: WorkerPool) -> None:
    """A job gives the original and the result as files."""
    made = await pool.make(job())

    assert (made.media_type, made.suffix) == ("image/jpeg", ".jpg")
    assert made.before.startswith(b"\xff\xd8")
    assert made.after.startswith(b"\xff\xd8")
    assert made.before != made.after


async def test_picture_error_comes_back_from_the_worker(pool: WorkerPool) -> None:
    """The generator's PictureError comes back from the process as it was raised."""
    with pytest.raises(PictureError, match=r"no picture that could be recognised"):
        await pool.make(job(picture=b"hello"))


async def test_job_over_its_time_limit_is_killed() -> None:
    """A job that takes too long is killed with its process, and the next job succeeds."""
    pool = WorkerPool(workers=1, seconds_max=LIMIT_SECONDS)
    began = time.monotonic()
    await pool.make(job())
    ready = time.monotonic()

    with pytest.raises(JobTooLongError):
        await pool.make(job("endless"))

    assert time.monotonic() - ready >= LIMIT_SECONDS
    assert (await pool.make(job())).media_type == "image/jpeg"
    assert time.monotonic() - began < 60
    pool.close()


@pytest.mark.parametrize(("behaviour", "error"), [("deadly", JobLostError), ("faulty", JobFailedError)])
async def test_next_job_succeeds_after_a_failed_one(pool: WorkerPool, behaviour: str, error: type[Exception]) -> None:
    """The next job succeeds after one whose process died or whose generator raised."""
    with pytest.raises(error):
        await pool.make(job(behaviour))

    assert (await pool.make(job())).media_type == "image/jpeg"


async def test_dead_worker_does_not_affect_another_job() -> None:
    """A job in one worker is finished although another worker dies."""
    pool = WorkerPool(workers=2)
    slow = asyncio.create_task(pool.make(job("slow")))

    with pytest.raises(JobLostError):
        await pool.make(job("deadly"))

    assert (await slow).media_type == "image/jpeg"
    pool.close()


async def test_job_is_refused_when_too_many_wait(pool: WorkerPool) -> None:
    """With one job running and one waiting, the next is refused at once, and the others succeed."""
    accepted = [asyncio.create_task(pool.make(job("slow"))) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(WorkerPoolFullError):
        await pool.make(job())

    assert [(await each).media_type for each in accepted] == ["image/jpeg"] * 2


async def test_cancelled_job_frees_its_worker(pool: WorkerPool) -> None:
    """After a cancelled job the worker takes the next one."""
    await pool.make(job())
    endless = asyncio.create_task(pool.make(job("endless")))
    await asyncio.sleep(0.2)

    endless.cancel()

    assert (await pool.make(job())).media_type == "image/jpeg"


async def test_closed_pool_has_no_process() -> None:
    """After closing, the processes exit, busy or not."""
    pool = WorkerPool(workers=2)
    await pool.make(job())
    endless = asyncio.create_task(pool.make(job("endless")))
    await asyncio.sleep(0.2)

    pool.close()

    assert await asyncio.to_thread(children_after, seconds_max=20) == 0
    endless.cancel()
    with pytest.raises((asyncio.CancelledError, JobLostError)):
        await endless


def children_after(seconds_max: float) -> int:
    """The number of child processes, once it is zero or the time is over."""
    deadline = time.monotonic() + seconds_max
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(multiprocessing.active_children())
