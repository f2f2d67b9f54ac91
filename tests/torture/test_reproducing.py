"""What a failed torture prints: run again as it says, it fails in the same step."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lockstep.databases import Done, Follower
from tests.lockstep.scenario import Scenario, Step
from tests.torture.lockstep import STEPS_A_COURSE, Era
from tests.torture.tally import Tally

SEED, STEPS = 7, STEPS_A_COURSE + 20


class Watched(Follower):
    """A database that shows each step to somebody before it follows."""

    def __init__(self, url: str, course: Scenario, watch: Callable[[Step], None]) -> None:
        super().__init__(url, course)
        self._watch = watch

    def follow(self, step: Step, done: list[Done]) -> None:
        """Show the step, and follow it."""
        self._watch(step)
        super().follow(step, done)


def run(folder: Path, steps: int, watch: Callable[[Step], None]) -> bool:
    """Whether so many steps go well, on two databases in this folder."""
    folder.mkdir()
    era = Era(Tally(), steps, SEED, 0)
    return era.run(lambda course: [Watched(f"sqlite:///{folder}/{name}.db", course, watch) for name in "ab"])


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """All steps of a run in which nothing fails."""
    seen: list[str] = []
    assert run(tmp_path_factory.mktemp("drawn") / "all", STEPS, lambda step: seen.append(str(step)))
    return seen[::2]


@pytest.mark.parametrize("failing", [12, STEPS_A_COURSE, STEPS_A_COURSE + 9, STEPS])
def test_what_is_printed_fails_in_the_same_step(
    tmp_path: Path, drawn: list[str], capsys: pytest.CaptureFixture[str], failing: int
) -> None:
    """Whether the step stands within a course, at its end, or in one that was cut short."""

    def stumble(step: Step) -> None:
        assert str(step) != drawn[failing - 1], "stumbled"

    went_well = run(tmp_path / "first", STEPS, stumble)
    told = re.search(rf"^FAILED in step {failing}. Again: make torture SEED={SEED} STEPS=(\d+)$", *_printed(capsys))
    assert told is not None
    again = run(tmp_path / "again", int(told[1]), stumble)

    assert (went_well, again) == (False, False)
    assert re.search(rf"^FAILED in step {failing}. ", *_printed(capsys)) is not None


def _printed(capsys: pytest.CaptureFixture[str]) -> tuple[str, re.RegexFlag]:
    """What was printed since this was last asked, to be searched line by line."""
    return capsys.readouterr().out, re.MULTILINE
