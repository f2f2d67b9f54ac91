"""How to type the running program in a shell that is in the current folder."""

import os
import shlex
import shutil
import sys
from pathlib import Path

NAME = "sixpence"


def program_name() -> str:
    """`sixpence` where a shell finds this program by that name, else its path: relative below the current folder."""
    program = _find_program()
    if program is None:
        return f"{shlex.quote(sys.executable)} -m sixpence.cli"
    found = shutil.which(NAME)
    if found is not None and os.path.samefile(found, program):
        return NAME
    try:
        return shlex.quote(f"./{program.relative_to(Path.cwd())}")
    except ValueError:
        return shlex.quote(str(program))


def _find_program() -> Path | None:
    """The file that was started, or the one beside the Python that runs the module."""
    for path in (Path(sys.argv[0]).absolute(), Path(sys.executable).with_name(NAME)):
        if path.name == NAME and path.is_file() and os.access(path, os.X_OK):
            return path
    return None
