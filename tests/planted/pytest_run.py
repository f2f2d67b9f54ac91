"""Running tests in a copy of the project: whether they passed, failed, hung or could not run."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

import msgspec

SECONDS_MAX = 420
SUITE_SECONDS_MAX = 1_500
# pytest's exit codes. Its other codes mean that no test ran.
_PASSED, _FAILED, _INTERRUPTED = 0, 1, 2

Outcome = Literal["passed", "failed", "hung", "not run"]


class PytestRun(msgspec.Struct, frozen=True):
    """A run of tests: its outcome, the first test that failed, the duration, and the end of pytest's output."""

    outcome: Outcome
    first_failure: str
    seconds: float
    output: str

    @property
    def finds_bug(self) -> bool:
        """Whether a test failed or did not end; tests that could not run find nothing."""
        return self.outcome in ("failed", "hung")


def run_pytest(
    project: Path, tests: tuple[str, ...], *, seconds_max: float = SECONDS_MAX, stop_at_failure: bool = True
) -> PytestRun:
    """Run tests in the copy of the project, by default until one fails."""
    began = time.monotonic()
    options = ["-x"] if stop_at_failure else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *tests]
    with subprocess.Popen(
        command,
        cwd=project,
        env=_environment(project),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        outcome: Outcome
        try:
            output, _ = process.communicate(timeout=seconds_max)
            outcome = _outcome(process.returncode, output)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            output, _ = process.communicate()
            outcome = "hung"
    return PytestRun(outcome, _first_failure(output), time.monotonic() - began, output[-4_000:])


def _outcome(status: int, output: str) -> Outcome:
    if status == _PASSED:
        return "passed"
    # With several processes pytest reports an interruption when it stops at the first failure.
    failed = status == _FAILED or (
        status == _INTERRUPTED and any(line.startswith("FAILED ") for line in output.splitlines())
    )
    return "failed" if failed else "not run"


def _environment(project: Path) -> dict[str, str]:
    """The copy's modules come before the installed ones, and no compiled module of another bug is reused."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SIXPENCE_", "PYTEST_"))}
    own["PYTHONPATH"] = f"{project / 'src'}{os.pathsep}{project}"
    own["PYTHONDONTWRITEBYTECODE"] = "1"
    return own


def _first_failure(output: str) -> str:
    for line in output.splitlines():
        if line.startswith(("FAILED tests", "ERROR tests")):
            return line.split(" ", 1)[1].split(" - ")[0]
    return ""
