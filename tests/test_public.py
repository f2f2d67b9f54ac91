"""The public interface: every name it promises is there, and importing it alone costs nothing."""

import subprocess
import sys

import sixpence


def test_every_public_name_is_there() -> None:
    """Each name of `__all__` can be imported, and is listed."""
    found = {name: getattr(sixpence, name) for name in sixpence.__all__}

    assert None not in found.values()
    assert set(found) <= set(dir(sixpence))


def test_what_is_not_public_is_said_to_be_missing() -> None:
    """A name that is not promised is an AttributeError, as with any module."""
    assert not hasattr(sixpence, "Wallet")


def test_importing_the_package_loads_no_database() -> None:
    """A command line that only shows its help does not wait for SQLAlchemy."""
    code = "import sys, sixpence; print('sqlalchemy' in sys.modules, sixpence.CreditService.__name__)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "CreditService"]
