"""The torture itself: a short run says what it tried, and a failure is made small."""

import subprocess
import sys
from pathlib import Path

from sixpence.core.account.commands import Consume, EnsureAccount, GrantCredits
from tests.lockstep.choices import RandomChoices
from tests.lockstep.commands import KeyedCommand
from tests.lockstep.scenario import Step, begin
from tests.torture.smaller import smallest

ROOT = Path(__file__).parents[2]


def test_a_short_run_says_last_what_it_tried() -> None:
    """The last line has the steps, the rate, both databases and what was proved."""
    command = [sys.executable, "-m", "tests.torture", "--steps", "30", "--seed", "1"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)

    last = done.stdout.splitlines()[-1]
    assert (done.returncode, done.stderr) == (0, "")
    assert last.startswith("30 steps in ")
    assert " on SQLite and PostgreSQL: " in last
    assert last.endswith(" rows in the databases proved and decided anew by verify")


def test_a_failure_is_made_small() -> None:
    """Of many steps those stay without which nothing fails; here credits below zero, which no caller can send."""
    made, use = KeyedCommand(EnsureAccount()), KeyedCommand(Consume(feature="sketch"))
    impossible = KeyedCommand(GrantCredits(amount=-1))
    course = begin(RandomChoices("any"), ["ada@example.com", "brook@example.com"])
    commands = [(0, made), (1, made), (0, use), (1, use), (1, impossible), (0, use)]
    course.steps = [Step(course.clock, None, (one,)) for one in commands]

    found = smallest(course)

    assert found == ([course.steps[1], course.steps[4]], True)


def test_without_a_failure_all_steps_stay() -> None:
    """What fails on a database alone is told whole."""
    course = begin(RandomChoices("any"), ["ada@example.com"])
    course.steps = [Step(course.clock, None, ((0, KeyedCommand(EnsureAccount())),))]

    found = smallest(course)

    assert found == (course.steps, False)
