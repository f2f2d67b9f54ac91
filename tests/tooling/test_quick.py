"""`make quick`: which tests are quick, and what is refused while one of them runs."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.quick import NotQuickError, guarded, refuse_in_quick_tests, starts_process
from tests.support.server import running_server


def test_a_quick_test_starts_no_process() -> None:
    """A quick test that starts a program is refused; outside of quick tests the same program runs."""
    program = [sys.executable, "-S", "-c", ""]

    with (
        guarded("this test"),
        pytest.raises(NotQuickError, match=r"is marked quick and needs a process \(subprocess\.Popen"),
    ):
        subprocess.run(program)

    assert subprocess.run(program).returncode == 0


def test_a_quick_test_does_not_fork() -> None:
    """The same for a fork."""
    with guarded("this test"), pytest.raises(NotQuickError, match=r"needs a process \(os\.fork"):
        os.fork()


def test_a_quick_test_uses_no_multiprocessing() -> None:
    """A process of multiprocessing is noticed at the end of the test."""
    with pytest.raises(NotQuickError, match="used multiprocessing"), guarded("this test"):
        multiprocessing.Process()


def test_a_quick_test_has_no_postgresql() -> None:
    """The fixture of PostgreSQL asks here: a quick test gets none, another test does."""
    with guarded("this test"), pytest.raises(NotQuickError, match="needs PostgreSQL"):
        refuse_in_quick_tests("PostgreSQL")

    refuse_in_quick_tests("PostgreSQL")


def test_what_starts_a_process_is_found_however_far_away() -> None:
    """A function is looked through, with the functions that it calls; one that starts nothing is quick."""
    assert starts_process(_serves)
    assert not starts_process(_computes)


def _serves() -> None:
    _serves_once()


def _serves_once() -> None:
    with running_server(None, Path()):
        pass


def _computes() -> int:
    return sum(range(6))
