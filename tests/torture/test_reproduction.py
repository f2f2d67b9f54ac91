"""A failed torture run prints a command; that command fails in the same step."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lockstep.databases import Done, Follower
from tests.lockstep.scenario import Scenario, Step
from tests.torture.lockstep import STEPS_A_COURSE, Era
from tests.torture.tally import Tally

pytestmark = pytest.mark.slow

SEED, STEPS = 7, STEPS_A_COURSE + 20


class ObservedFollower(Follower):
    """A database that passes each step to a callback before it follows."""

    def __init__(self, url: str, course: Scenario, observe: Callable[[Step], None]) -> None:
        super().__init__(url, course)
        self._observe = observe

    def follow(self, step: Step, done: list[Done]) -> None:
        """Pass the step to the callback, then follow it."""
        self._observe(step)
        super().follow(step, done)


def run(folder: Path, steps: int, observe: Callable[[Step], None]) -> bool:
    """Whether this many steps succeed, on two databases in this folder."""
    folder.mkdir()
    era = Era(Tally(), steps, SEED, 0)
    return era.run(lambda course: [ObservedFollower(f"sqlite:///{folder}/{name}.db", course, observe) for name in "ab"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The steps of a run without a failure, as text."""
    seen: list[str] = []
    assert run(tmp_path_factory.mktemp("drawn") / "all", STEPS, lambda step: seen.append(str(step)))
    return seen[::2]


@pytest.mark.parametrize("failing", [12, STEPS_A_COURSE, STEPS_A_COURSE + 9, STEPS])
def test_printed_command_fails_in_same_step(
    tmp_path: Path, drawn: list[str], capsys: pytest.CaptureFixture[str], failing: int
) -> None:
    """Whether the failing step is within a course, at its end, or in a shortened one."""

    def fail_at_step(step: Step) -> None:
        assert str(step) != drawn[failing - 1], "failed on purpose"

    went_well = run(tmp_path / "first", STEPS, fail_at_step)
    found = re.search(rf"^FAILED in step {failing}. Again: make torture SEED={SEED} STEPS=(\d+)$", *_printed(capsys))
    assert found is not None
    again = run(tmp_path / "again", int(found[1]), fail_at_step)

    assert (went_well, again) == (False, False)
    assert re.search(rf"^FAILED in step {failing}. ", *_printed(capsys)) is not None


def _printed(capsys: pytest.CaptureFixture[str]) -> tuple[str, re.RegexFlag]:
    """The output since the last call, to be searched line by line."""
    return capsys.readouterr().out, re.MULTILINE
