"""The output of `make`: its targets, and the errors about an unusable Python.

Not here: what the targets do; the whole suite runs through them.
"""

import os
import re
import subprocess
from pathlib import Path

from tools.environment import find_problem

ROOT = Path(__file__).parents[2]


def test_make_alone_lists_the_targets() -> None:
    """Each target has a line with its explanation."""
    done = make()

    listed = set(re.findall(r"^  make ([a-z]+) +\S.+$", done.stdout, re.MULTILINE))

    assert done.returncode == 0
    assert listed >= {"demo", "test", "quick", "torture", "check", "format", "bench", "lock", "clean"}


def test_missing_python_is_named() -> None:
    """Without the chosen Python, make names it and says what to do."""
    done = make("demo", "PYTHON=no-such-python")

    assert done.returncode != 0
    assert "there is no no-such-python. Name one: make PYTHON=python3.11 demo" in done.stderr


def test_old_python_is_refused() -> None:
    """The error for a Python below 3.11 names the required version, the actual one, and what to do."""
    problem = find_problem("python3", (3, 9, 2))

    assert problem == (
        "Sixpence needs Python 3.11 or later, and python3 is 3.9.2. Name a newer one: make PYTHON=python3.11 demo"
    )


def test_oldest_supported_python_is_accepted() -> None:
    """Python 3.11 with venv has no problem."""
    problem = find_problem("python3", (3, 11, 0))

    assert problem is None


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the project's folder, as from a new shell."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["make", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
