"""`program_name`: the name of the running program, or its path if a shell finds no or another program by that name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("sixpence")
# Shell and Python read the first lines: a #! line cannot hold a path with a space, which Python may be at.
SCRIPT = f"""#!/bin/sh
'''exec' "{sys.executable}" "$0" "$@"
' '''
from sixpence.cli.terminal.program import program_name
print(program_name())
"""


def printed_name(program: Path, *, cwd: Path, found_in: Path) -> str:
    """The name that the program at this path prints, in a folder, with one folder on the shell's path."""
    environment = {**os.environ, "PATH": str(found_in)}
    done = subprocess.run([program], cwd=cwd, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.removesuffix("\n")


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A program named sixpence, in a folder whose name needs quotes."""
    path = tmp_path / "my tools" / "sixpence"
    path.parent.mkdir()
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def test_program_name_of_program_on_path(program: Path) -> None:
    """The name is enough if a shell finds this program by it."""
    assert printed_name(program, cwd=Path("/"), found_in=program.parent) == "sixpence"


def test_program_name_below_current_folder(program: Path) -> None:
    """Below the current folder the path is relative."""
    elsewhere = program.parent / "nothing"

    assert printed_name(program, cwd=program.parent.parent, found_in=elsewhere) == "'./my tools/sixpence'"
    assert printed_name(program, cwd=program.parent, found_in=elsewhere) == "./sixpence"


def test_program_name_when_path_has_another_installation(program: Path) -> None:
    """If a shell would find another installation, the full path is printed, quoted."""
    assert printed_name(program, cwd=Path("/usr"), found_in=PROGRAM.parent) == f"'{program}'"
