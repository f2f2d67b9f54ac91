"""Shrinking a failure: leaving out steps of a course while core and reference alone still fail."""

from tests.lockstep.pair import Pair
from tests.lockstep.scenario import Scenario, Step


def shrink(course: Scenario) -> tuple[list[Step], bool]:
    """The fewest steps found that still fail on core and reference; all steps, and False, if these do not fail."""
    if not _fails(course, course.steps):
        return list(course.steps), False
    steps = [part for step in course.steps for part in _split(step)]
    size = max(1, len(steps) // 2)
    while True:
        shorter = [steps[:at] + steps[at + size :] for at in range(0, len(steps), size)]
        found = next((some for some in shorter if _fails(course, some)), None)
        if found is not None:
            steps = found
        elif size == 1:
            return steps, True
        else:
            size = max(1, size // 2)


def _split(step: Step) -> list[Step]:
    """The step's commands, each as a step at the same time."""
    catalog = [] if step.catalog is None else [Step(step.clock, step.catalog)]
    return [*catalog, *(Step(step.clock, None, (asked,)) for asked in step.commands)]


def _fails(course: Scenario, steps: list[Step]) -> bool:
    again = Scenario([Pair(pair.account_id) for pair in course.pairs], course.began_at, course.began_with)
    try:
        for step in steps:
            again.run(step)
        for pair in again.pairs:
            pair.check_in_full()
    except Exception:  # noqa: BLE001 - any failure counts
        return True
    return False
