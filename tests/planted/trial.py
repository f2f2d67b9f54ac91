"""Running tests in a copy of the project, and what their end says about a bug that was planted there."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import msgspec

SECONDS_MAX = 420
SUITE_SECONDS_MAX = 1_500
# pytest's own: tests failed; and: there was nothing to run, or it could not be collected.
_PASSED, _FAILED, _INTERRUPTED = 0, 1, 2

Outcome = Literal["passed", "failed", "hung", "not run"]


class Trial(msgspec.Struct, frozen=True):
    """What came of a run: its outcome, the test that failed first, how long it took, and the end of what it said."""

    outcome: Outcome
    first_failure: str
    seconds: float
    said: str

    @property
    def finds_a_bug(self) -> bool:
        """Whether a test failed or never came to an end; tests that could not be run find nothing."""
        return self.outcome in ("failed", "hung")


def run(tree: Path, tests: tuple[str, ...], *, seconds_max: float = SECONDS_MAX, first: bool = True) -> Trial:
    """Run tests in the copy; with `first` until one fails."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *(["-x"] if first else []), *tests]
    with subprocess.Popen(
        command,
        cwd=tree,
        env=_environment(tree),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        outcome: Outcome
        try:
            said, _ = process.communicate(timeout=seconds_max)
            outcome = _outcome(process.returncode, said)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            said, _ = process.communicate()
            outcome = "hung"
    return Trial(outcome, _first_failure(said), time.monotonic() - began, said[-4_000:])


def _outcome(status: int, said: str) -> Outcome:
    if status == _PASSED:
        return "passed"
    # Several processes that stop at the first failure say that they were interrupted.
    failed = status == _FAILED or (
        status == _INTERRUPTED and any(line.startswith("FAILED ") for line in said.splitlines())
    )
    return "failed" if failed else "not run"


def _environment(tree: Path) -> dict[str, str]:
    """The copy's own modules go before the installed ones, and are compiled for this copy's present bug alone."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SIXPENCE_", "PYTEST_"))}
    own["PYTHONPATH"] = f"{tree / 'src'}{os.pathsep}{tree}"
    own["PYTHONDONTWRITEBYTECODE"] = "1"
    return own


def _first_failure(said: str) -> str:
    for line in said.splitlines():
        if line.startswith(("FAILED tests", "ERROR tests")):
            return line.split(" ", 1)[1].split(" - ")[0]
    return ""
