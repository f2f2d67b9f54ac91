"""`python -m tests.planted [NAME ...]`: plants each bug in a copy of the project and runs the tests that it names.

A bug is caught if a test fails. Before that the tests run without a bug and must pass, so that no other failure counts.
If a bug's tests pass, the whole suite runs. Ends with 1 if a bug survives.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from tests.planted.bug import Bug, read_bugs
from tests.planted.bug_check import BugCheck, check_bug
from tests.planted.project_copy import copy_project
from tests.planted.pytest_run import PytestRun, run_pytest

COPIES = 2
_SECONDS_PER_BUG = 25


def main() -> int:
    """Plant the named bugs, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="a bug, by its patch's name or the start of it")
    parser.add_argument("--list", action="store_true", help="only list the bugs")
    arguments = parser.parse_args()
    bugs = [bug for bug in read_bugs() if not arguments.names or bug.name.startswith(tuple(arguments.names))]
    if not bugs:
        parser.error(f"no bug is named {' or '.join(arguments.names)}; --list lists the bugs")
    if arguments.list:
        for bug in bugs:
            print(f"{bug.name}: {bug.what}")
        return 0
    minutes = 2 + len(bugs) * _SECONDS_PER_BUG // COPIES // 60
    print(f"planting {len(bugs)} bugs, {COPIES} at a time: about {minutes} minutes", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sixpence-planted-") as folder:
        copies = _Copies([copy_project(Path(folder) / f"copy {number}") for number in range(COPIES)])
        if not copies.pass_without_bug(bugs):
            return 1
        print(f"the tests pass without a bug, after {time.monotonic() - began:.0f} s", flush=True)
        checks = copies.check_bugs(bugs)
    survived = [check.bug.name for check in checks if not check.caught]
    print(f"{time.monotonic() - began:.0f} s" + (f"; survived: {', '.join(survived)}" if survived else ""))
    print(f"caught {len(bugs) - len(survived)} of {len(bugs)}", flush=True)
    return 1 if survived else 0


class _Copies:
    """Copies of the project, each used by one thread at a time."""

    def __init__(self, projects: Sequence[Path]) -> None:
        self._size = len(projects)
        self._free: SimpleQueue[Path] = SimpleQueue()
        for project in projects:
            self._free.put(project)

    def pass_without_bug(self, bugs: Sequence[Bug]) -> bool:
        """Whether the tests of all these bugs pass without a bug; prints pytest's output if not."""
        tests = sorted({test for bug in bugs for test in bug.tests})
        shares = [tuple(tests[number :: self._size]) for number in range(self._size)]
        with ThreadPoolExecutor(self._size) as threads:
            for run in threads.map(self._run, [share for share in shares if share]):
                if run.outcome != "passed":
                    print(f"{run.output}\nthe tests fail without any bug ({run.outcome}): mend that first", flush=True)
                    return False
        return True

    def check_bugs(self, bugs: Sequence[Bug]) -> list[BugCheck]:
        """Check each bug, and print each result as soon as it is known."""
        with ThreadPoolExecutor(self._size) as threads:
            return list(threads.map(self._check, bugs))

    def _run(self, tests: tuple[str, ...]) -> PytestRun:
        project = self._free.get()
        try:
            return run_pytest(project, tests, stop_at_failure=False)
        finally:
            self._free.put(project)

    def _check(self, bug: Bug) -> BugCheck:
        project = self._free.get()
        try:
            check = check_bug(bug, project)
        finally:
            self._free.put(project)
        print(check.describe(), flush=True)
        return check


if __name__ == "__main__":
    sys.exit(main())
