"""The check of one bug: plant it, run the tests that it names and, if they pass, the whole suite, and remove it."""

import os
from pathlib import Path

import msgspec

from tests.planted.bug import Bug, UnusablePatchError, plant, remove
from tests.planted.pytest_run import SUITE_SECONDS_MAX, PytestRun, run_pytest


class BugCheck(msgspec.Struct, frozen=True):
    """The result of a check. `run` is the last run of tests; it is None if the patch does not apply (`problem`)."""

    bug: Bug
    run: PytestRun | None
    problem: str = ""
    by_whole_suite: bool = False

    @property
    def caught(self) -> bool:
        """Whether a test found the bug."""
        return self.run is not None and self.run.finds_bug

    def describe(self) -> str:
        """The result as one line of text; if no test could run, pytest's output comes first."""
        if self.run is None:
            return f"NOT PLANTED {self.bug.name}: {self.problem}"
        if self.run.outcome == "not run":
            return f"{self.run.output}\nNOT TESTED {self.bug.name}: its tests could not run"
        word = "caught" if self.caught else "SURVIVED"
        by = f", by {self.run.first_failure or self.run.outcome}" if self.caught else ""
        suite = " (not by the tests it names)" if self.by_whole_suite and self.caught else ""
        return f"{word} {self.bug.name} ({self.bug.what}) after {self.run.seconds:.0f} s{by}{suite}"


def check_bug(bug: Bug, project: Path) -> BugCheck:
    """Plant the bug in the copy of the project, run tests until one fails, and restore the copy."""
    try:
        plant(bug, project)
    except UnusablePatchError as error:
        return BugCheck(bug, None, str(error))
    try:
        own_tests = run_pytest(project, bug.tests)
        if own_tests.outcome != "passed":
            return BugCheck(bug, own_tests)
        suite = ("--numprocesses", str(os.cpu_count() or 1), "--dist", "loadfile", "tests")
        return BugCheck(bug, run_pytest(project, suite, seconds_max=SUITE_SECONDS_MAX), by_whole_suite=True)
    finally:
        remove(bug, project)
