"""What `make` says: its targets, and why a Python will not do.

Not here: what the targets do; the whole suite runs through them.
"""

import os
import re
import subprocess
from pathlib import Path

from tools.environment import find_problem

ROOT = Path(__file__).parents[2]


def test_make_alone_lists_what_one_can_do() -> None:
    """Each target of interest stands on one line with its explanation."""
    done = make()

    listed = set(re.findall(r"^  make ([a-z]+) +\S.+$", done.stdout, re.MULTILINE))

    assert done.returncode == 0
    assert listed >= {"demo", "test", "quick", "torture", "check", "format", "bench", "lock", "clean"}


def test_a_python_that_is_not_there_is_named() -> None:
    """Without the Python asked for, make says so and what to do."""
    done = make("demo", "PYTHON=no-such-python")

    assert done.returncode != 0
    assert "there is no no-such-python. Name one: make PYTHON=python3.11 demo" in done.stderr


def test_an_old_python_is_refused_in_words() -> None:
    """A Python below 3.11 is told what is needed, what it is, and what to do."""
    problem = find_problem("python3", (3, 9, 2))

    assert problem == (
        "Sixpence needs Python 3.11 or later, and python3 is 3.9.2. Name a newer one: make PYTHON=python3.11 demo"
    )


def test_the_oldest_supported_python_will_do() -> None:
    """Python 3.11 with venv has no problem."""
    problem = find_problem("python3", (3, 11, 0))

    assert problem is None


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs make in the project's folder, as from a shell of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
