"""How the program that runs is to be typed: by its name, or by a path where a shell would find another or none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("sixpence")
# The first lines are a shell's and, to Python, text: Python's own path may hold a space, which no #! line can.
SAYS = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
from sixpence.cli.terminal.program import typed
print(typed())
"""


def said(program: Path, *, cwd: Path, found_in: Path) -> str:
    """What the program at this path says of itself, in a folder and with one folder for a shell to look in."""
    environment = {**os.environ, "PATH": str(found_in)}
    done = subprocess.run([program], cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.removesuffix("\n")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program of that name in a folder whose name has to be quoted."""
    path = tmp_path / "my tools" / "sixpence"
    path.parent.mkdir()
    path.write_text(SAYS)
    path.chmod(0o755)
    return path


def test_a_program_that_is_found_has_its_name(program: Path) -> None:
    """Where a shell finds this very program, its name is enough."""
    assert said(program, cwd=Path("/"), found_in=program.parent) == "sixpence"


def test_a_program_further_down_is_typed_from_here(program: Path) -> None:
    """Below the folder one stands in, its path starts there."""
    elsewhere = program.parent / "nothing"

    assert said(program, cwd=program.parent.parent, found_in=elsewhere) == "'./my tools/sixpence'"
    assert said(program, cwd=program.parent, found_in=elsewhere) == "./sixpence"


def test_another_program_of_the_name_is_not_meant(program: Path) -> None:
    """Where a shell would find another installation, the path of this one is said, quoted."""
    assert said(program, cwd=Path("/usr"), found_in=PROGRAM.parent) == f"'{program}'"
