"""`make torture`: a short run prints its summary, and a failure is shrunk."""

import subprocess
import sys
from pathlib import Path

import pytest

from sixpence.core.account.commands import Consume, EnsureAccount, GrantCredits
from tests.lockstep.choices import RandomChoices
from tests.lockstep.commands import KeyedCommand
from tests.lockstep.scenario import Step, begin
from tests.torture.shrink import shrink

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_torture_prints_summary() -> None:
    """The last line has the steps, the rate, both databases and the proved rows."""
    command = [sys.executable, "-m", "tests.torture", "--steps", "30", "--seed", "1"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)

    last = done.stdout.splitlines()[-1]
    assert (done.returncode, done.stderr) == (0, "")
    assert last.startswith("30 steps in ")
    assert " on SQLite and PostgreSQL: " in last
    assert last.endswith(" rows in the databases proved and decided again by verify")


def test_shrink_removes_unneeded_steps() -> None:
    """Only the steps that the failure needs remain; the failure is a negative grant, which no caller can send."""
    made, use = KeyedCommand(EnsureAccount()), KeyedCommand(Consume(feature="sketch"))
    impossible = KeyedCommand(GrantCredits(amount=-1))
    course = begin(RandomChoices("any"), ["ada@example.com", "brook@example.com"])
    commands = [(0, made), (1, made), (0, use), (1, use), (1, impossible), (0, use)]
    course.steps = [Step(course.clock, None, (one,)) for one in commands]

    found = shrink(course)

    assert found == ([course.steps[1], course.steps[4]], True)


def test_shrink_keeps_all_steps_without_pure_failure() -> None:
    """A failure of a database alone is not shrunk."""
    course = begin(RandomChoices("any"), ["ada@example.com"])
    course.steps = [Step(course.clock, None, ((0, KeyedCommand(EnsureAccount())),))]

    found = shrink(course)

    assert found == (course.steps, False)
