"""The public interface: its names, and that importing the package loads little."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import sixpence

STUB = Path(sixpence.__file__).with_suffix(".pyi")


def test_star_import_gives_every_public_name() -> None:
    """`from sixpence import *` gives each name that the stub lists, and `dir` lists it."""
    names: dict[str, object] = {}

    exec("from sixpence import *", names)

    del names["__builtins__"]
    listed = re.findall(r" as (\w+)$", STUB.read_text(), re.MULTILINE)
    assert len(listed) > 80
    assert sorted(names) == sorted(listed)
    assert set(names) <= set(dir(sixpence))


def test_unknown_name_raises_attribute_error() -> None:
    """A name that is not public is missing, for mypy too: its strict mode refuses a comment that ignores no error."""
    with pytest.raises(AttributeError, match="module 'sixpence' has no attribute 'Wallet'"):
        sixpence.Wallet  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_loads_no_database() -> None:
    """`import sixpence` does not load SQLAlchemy, so a command line shows its help at once."""
    code = "import sys, sixpence; print('sqlalchemy' in sys.modules, sixpence.CreditService.__name__)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "CreditService"]
