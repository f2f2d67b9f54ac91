"""The worker processes: bounded in number, in waiting and in time, and replaced when they are lost."""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator

import pytest

from sixpence_studio.generators import PictureError
from sixpence_studio.making import Job
from sixpence_studio.workshop import JobFailedError, JobLostError, JobTooLongError, Workshop, WorkshopFullError
from tests.studio.moody import SLOW_SECONDS, Moody
from tests.studio.served import ROOM


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    """A workshop with one bench, in which one more job may wait."""
    opened = Workshop(benches=1, seconds_max=3 * SLOW_SECONDS, waiting_max=1)
    yield opened
    opened.close()


def job(mood: str = "quick", picture: bytes = ROOM) -> Job:
    """A mirrored picture, in a mood."""
    return Job(Moody(), picture, {"mood": mood}, seed=1)


async def test_a_job_is_done_elsewhere(workshop: Workshop) -> None:
    """A job gives the original and the result as files."""
    made = await workshop.make(job())

    assert (made.media_type, made.suffix) == ("image/jpeg", ".jpg")
    assert made.before.startswith(b"\xff\xd8")
    assert made.after.startswith(b"\xff\xd8")
    assert made.before != made.after


async def test_what_a_picture_is_to_blame_for_is_told(workshop: Workshop) -> None:
    """The generator's own refusal comes back from the process as it was raised."""
    with pytest.raises(PictureError, match=r"no picture that could be recognised"):
        await workshop.make(job(picture=b"hello"))


async def test_a_job_has_its_time(workshop: Workshop) -> None:
    """A job that takes longer is ended with its process, and the next one is done."""
    began = time.monotonic()
    await workshop.make(job())
    ready = time.monotonic()

    with pytest.raises(JobTooLongError):
        await workshop.make(job("endless"))

    assert time.monotonic() - ready >= 3 * SLOW_SECONDS
    assert (await workshop.make(job())).media_type == "image/jpeg"
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(("mood", "error"), [("deadly", JobLostError), ("faulty", JobFailedError)])
async def test_a_job_that_fails_harms_no_other(workshop: Workshop, mood: str, error: type[Exception]) -> None:
    """The next job is done after one that died or was defective."""
    with pytest.raises(error):
        await workshop.make(job(mood))

    assert (await workshop.make(job())).media_type == "image/jpeg"


async def test_a_dying_neighbour_takes_nothing_with_it() -> None:
    """A job at another bench is finished though a process beside it dies."""
    workshop = Workshop(benches=2)
    slow = asyncio.create_task(workshop.make(job("slow")))

    with pytest.raises(JobLostError):
        await workshop.make(job("deadly"))

    assert (await slow).media_type == "image/jpeg"
    workshop.close()


async def test_only_so_many_wait(workshop: Workshop) -> None:
    """With one at work and one waiting, the next is refused at once, and the others are done."""
    accepted = [asyncio.create_task(workshop.make(job("slow"))) for _ in range(2)]
    await asyncio.sleep(0)

    with pytest.raises(WorkshopFullError):
        await workshop.make(job())

    assert [(await each).media_type for each in accepted] == ["image/jpeg"] * 2


async def test_a_cancelled_job_frees_its_bench(workshop: Workshop) -> None:
    """Whoever does not wait any more holds nobody up."""
    await workshop.make(job())
    endless = asyncio.create_task(workshop.make(job("endless")))
    await asyncio.sleep(0.2)

    endless.cancel()

    assert (await workshop.make(job())).media_type == "image/jpeg"


async def test_a_closed_workshop_leaves_no_process() -> None:
    """After closing, the processes end, whatever they were doing."""
    workshop = Workshop(benches=2)
    await workshop.make(job())
    endless = asyncio.create_task(workshop.make(job("endless")))
    await asyncio.sleep(0.2)

    workshop.close()

    assert await asyncio.to_thread(children_after, seconds_max=20) == 0
    endless.cancel()
    with pytest.raises((asyncio.CancelledError, JobLostError)):
        await endless


def children_after(seconds_max: float) -> int:
    """How many child processes there are still, once there are none or this time is over."""
    deadline = time.monotonic() + seconds_max
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(multiprocessing.active_children())
