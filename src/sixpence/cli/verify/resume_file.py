"""The file in which `sixpence verify --resume` keeps how far it came, as `sixpence.ledger.verify.resume` writes it."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.core.values.stored_document import decoder_of
from sixpence.ledger.verify.resume import ResumePoint

_decode = decoder_of(ResumePoint)


def read(file: Path) -> ResumePoint | None:
    """What an earlier run kept, None where there is no file; a file of anything else is refused and left alone."""
    try:
        return _decode(file.read_bytes())
    except FileNotFoundError:
        return None
    except msgspec.MsgspecError as error:
        problem = f"resume: {file} is not what a run of sixpence verify has kept ({error})."
        raise CommandRefusedError(f"{problem} Name another file.") from error
    except OSError as error:
        raise _refused(file, error) from error


def keeper(file: Path) -> Callable[[ResumePoint], None]:
    """What keeps in this file; raises at once where there is no folder for it."""
    if not file.absolute().parent.is_dir():
        raise CommandRefusedError(f"resume: there is no folder for {file}. Name another file.")
    return lambda passed: _write(file, passed)


def remove(file: Path) -> None:
    """Nothing is left to go on from."""
    file.unlink(missing_ok=True)


def _write(file: Path, passed: ResumePoint) -> None:
    """Keep it in place of what was kept before; whatever happens meanwhile, one of the two is there and whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("wb") as opened:
            opened.write(msgspec.json.encode(passed))
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    except OSError as error:
        raise _refused(file, error) from error


def _refused(file: Path, error: OSError) -> CommandRefusedError:
    return CommandRefusedError(f"resume: {file} cannot be read and written ({error.strerror}). Name another file.")
