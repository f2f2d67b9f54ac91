"""The scheduler: one task at a time, in the seed's order, and killed tasks change nothing."""

from functools import partial
from random import Random

from tests.simulation.schedule import SECOND, Condition, Schedule
from tests.simulation.trace import Trace


def schedule_of(seed: str) -> Schedule:
    """A schedule with this seed."""
    return Schedule(Random(seed), Trace())


def run(schedule: Schedule) -> None:
    """Run everything."""
    while schedule.step():
        pass


def order(seed: str) -> list[str]:
    """The order in which three tasks of three parts each run."""
    schedule, went = schedule_of(seed), list[str]()

    def work(name: str) -> None:
        for part in range(3):
            went.append(f"{name}{part}")
            schedule.pass_on()

    for name in "abc":
        schedule.start(partial(work, name), name)
    run(schedule)
    return went


def test_the_seed_decides_the_order() -> None:
    """The same seed gives the same order, another seed another one; each task's own order stays."""
    first, again, other = order("one"), order("one"), order("another")

    assert (first == again, first == other) == (True, False)
    assert [name for name in first if name[0] == "a"] == ["a0", "a1", "a2"]


def test_time_advances_to_the_next_timer() -> None:
    """When all tasks wait, the one with the shortest timeout runs next, at its time."""
    schedule, woken = schedule_of("any"), list[tuple[str, int]]()

    def sleep(name: str, seconds: int) -> None:
        schedule.pause(seconds * SECOND)
        woken.append((name, schedule.now // SECOND))

    schedule.start(lambda: sleep("long", 9), "long")
    schedule.start(lambda: sleep("short", 2), "short")
    run(schedule)

    assert woken == [("short", 2), ("long", 9)]


def test_killed_task_unwinds() -> None:
    """It unwinds at its current point, and the tasks that joined it continue."""
    schedule, did = schedule_of("any"), list[str]()

    def work() -> None:
        try:
            did.append("begins")
            schedule.pause(SECOND)
            did.append("continues")
        finally:
            did.append("unwinds")

    def join() -> None:
        schedule.join(task)
        did.append("joined")

    task = schedule.start(work, "ended")
    schedule.start(join, "joins")
    while not task.started:
        schedule.step()
    schedule.end(task)
    run(schedule)

    assert (did, task.done) == (["begins", "unwinds", "joined"], True)


def test_task_killed_before_its_start_never_runs() -> None:
    """None of its code runs."""
    schedule, did = schedule_of("any"), list[str]()
    task = schedule.start(lambda: did.append("begins"), "never")

    schedule.end(task)
    run(schedule)

    assert did == []


def test_condition_wakes_waiting_tasks_only() -> None:
    """A task whose wait timed out is not woken in place of a waiting one."""
    schedule = schedule_of("any")
    condition, woken = Condition(schedule), list[bool]()

    def wait(timeout: float | None) -> None:
        woken.append(condition.wait(timeout))

    for timeout in (1.0, None, None, None):
        schedule.start(partial(wait, timeout), "waits")
    run(schedule)
    condition.notify()
    run(schedule)
    after_one = list(woken)
    condition.notify_all()
    run(schedule)

    assert (after_one, woken) == ([False, True], [False, True, True, True])
