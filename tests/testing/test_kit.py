"""`sixpence.testing` as a package: every name is there, and nothing is needed or loaded that a test does not use."""

import subprocess
import sys

import sixpence.testing

WITHOUT = """
import sys
for name in ("pytest", "_pytest", "anyio", "starlette", "httpx", "uvicorn", "psycopg", "click"):
    sys.modules[name] = None
from sixpence.testing import *
print(CreditClock().now())
"""


def test_every_name_is_there() -> None:
    """Each name of `__all__` can be imported, and is listed."""
    found = {name: getattr(sixpence.testing, name) for name in sixpence.testing.__all__}

    assert None not in found.values()
    assert set(found) <= set(dir(sixpence.testing))


def test_what_is_not_there_is_said_to_be_missing() -> None:
    """A name that is not promised is an AttributeError, as with any module."""
    assert not hasattr(sixpence.testing, "FakeCredits")


def test_it_needs_neither_pytest_nor_a_web_framework() -> None:
    """With these out of reach every name is imported all the same."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)

    assert (done.stderr, done.stdout) == ("", "2026-03-01 12:00:00+00:00\n")


def test_importing_it_loads_no_database() -> None:
    """A run of tests that wants no credits does not wait for SQLAlchemy."""
    code = "import sys, sixpence.testing; print('sqlalchemy' in sys.modules, 'msgspec' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
