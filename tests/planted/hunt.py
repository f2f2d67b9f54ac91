"""One bug from being planted to being taken out again: its own tests run, then, if these pass, the whole suite."""

import os
from pathlib import Path

import msgspec

from tests.planted.plant import Plant, UnusablePatchError, apply, remove
from tests.planted.trial import SUITE_SECONDS_MAX, Trial, run


class Hunt(msgspec.Struct, frozen=True):
    """What became of a bug; `trial` is the last run, None where it could not be planted, which `problem` explains."""

    plant: Plant
    trial: Trial | None
    problem: str = ""
    by_whole_suite: bool = False

    @property
    def caught(self) -> bool:
        """Whether a test found it."""
        return self.trial is not None and self.trial.finds_a_bug

    def told(self) -> str:
        """One line for a person; where tests could not even be run, what they said comes first."""
        if self.trial is None:
            return f"NOT PLANTED {self.plant.name}: {self.problem}"
        if self.trial.outcome == "not run":
            return f"{self.trial.said}\nNOT TRIED {self.plant.name}: its tests could not be run"
        word = "caught" if self.caught else "SURVIVED"
        by = f", by {self.trial.first_failure or self.trial.outcome}" if self.caught else ""
        suite = " (not by the tests it names)" if self.by_whole_suite and self.caught else ""
        return f"{word} {self.plant.name} ({self.plant.what}) after {self.trial.seconds:.0f} s{by}{suite}"


def hunt(plant: Plant, tree: Path) -> Hunt:
    """Plant the bug in the copy, look for it, and leave the copy as it was."""
    try:
        apply(plant, tree)
    except UnusablePatchError as error:
        return Hunt(plant, None, str(error))
    try:
        trial = run(tree, plant.tests)
        if trial.outcome != "passed":
            return Hunt(plant, trial)
        whole = ("--numprocesses", str(os.cpu_count() or 1), "--dist", "loadfile", "tests")
        return Hunt(plant, run(tree, whole, seconds_max=SUITE_SECONDS_MAX), by_whole_suite=True)
    finally:
        remove(plant, tree)
