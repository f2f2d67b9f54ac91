"""The file of `sixpence verify --resume`: it stores the progress, so that an interrupted run can be resumed.

Not here: the contents of the file, and whether they fit the ledger (`sixpence.ledger.verify.resume`).
"""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.core.values.stored_document import decoder_of
from sixpence.ledger.verify.resume import ResumePoint

_decode = decoder_of(ResumePoint)


def read(file: Path) -> ResumePoint | None:
    """Read the progress of an earlier run, None without a file; a file with other contents is refused, not replaced."""
    try:
        return _decode(file.read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        problem = f"--resume: {file} was not written by sixpence verify ({error})."
        raise CommandRefusedError(f"{problem} Name another file.") from error
    except OSError as error:
        raise _refused(file, error) from error


def saver(file: Path) -> Callable[[ResumePoint], None]:
    """Return the function that saves progress in this file; raises `CommandRefusedError` if its folder is missing."""
    if not file.absolute().parent.is_dir():
        raise CommandRefusedError(f"--resume: the folder of {file} does not exist. Create it, or name another file.")
    return lambda passed: _write(file, passed)


def remove(file: Path) -> None:
    """Remove the file after a finished run, if it exists."""
    file.unlink(missing_ok=True)


def _write(file: Path, passed: ResumePoint) -> None:
    """Replace the file; an interruption leaves either the old or the new contents, complete."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as output:
            output.write(msgspec.json.encode(passed))
            output.flush()
            os.fsync(output.fileno())
        part.replace(file)
    except OSError as error:
        raise _refused(file, error) from error


def _refused(file: Path, error: OSError) -> CommandRefusedError:
    return CommandRefusedError(f"--resume: {file} cannot be read and written ({error.strerror}). Name another file.")
