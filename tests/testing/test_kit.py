"""`sixpence.testing` as a package: every name can be imported, and unused names load nothing."""

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


def test_every_exported_name_can_be_imported() -> None:
    """Each name of `__all__` can be imported, and is listed."""
    found = {name: getattr(sixpence.testing, name) for name in sixpence.testing.__all__}

    assert None not in found.values()
    assert set(found) <= set(dir(sixpence.testing))


def test_unknown_name_is_attribute_error() -> None:
    """As with any module."""
    assert not hasattr(sixpence.testing, "FakeCredits")


def test_import_needs_neither_pytest_nor_web_framework() -> None:
    """Every name can be imported without them."""
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)

    assert (done.stderr, done.stdout) == ("", "2026-03-01 12:00:00+00:00\n")


def test_import_loads_no_sqlalchemy() -> None:
    """A test run without credits does not wait for SQLAlchemy."""
    code = "import sys, sixpence.testing; print('sqlalchemy' in sys.modules, 'msgspec' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
