"""A checkpoint as a file to be kept elsewhere: its document in the first line, then the heads that were signed.

Each further line is a chunk of heads in base64, so that a file of any length is read in little memory, and the ledger
can be compared with it whatever has become of the ledger's own. Not here: the comparing (`ledger.checkpoint_check`).
"""

import binascii
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.core.errors import InvalidInputError
from sixpence.core.proof.checkpoint import HEAD_BYTES, HEADS_PER_CHUNK, Checkpoint, read_checkpoint, write_checkpoint
from sixpence.ledger.checkpoints.compare import ExternalCheckpoint

# A document has some five hundred bytes, a line of heads at most this many.
LINE_BYTES_MAX = 4 * -(-HEADS_PER_CHUNK * HEAD_BYTES // 3) + 2


def refuse_place(path: Path) -> None:
    """Raise `CommandRefusedError` where no file can be made, or one is: a kept checkpoint is not overwritten."""
    if os.path.lexists(path):
        raise CommandRefusedError(f"--out: {path} is there already. Name a file that is not.")
    drafts = _draft_of(path), _draft_of(path)
    try:
        drafts[0].touch(exist_ok=False)
        os.link(*drafts)
    except OSError as error:
        raise CommandRefusedError(f"--out: {path} cannot be written ({error.strerror}). Nothing was signed.") from error
    finally:
        for draft in drafts:
            with suppress(OSError):
                draft.unlink()


def write_file(path: Path, checkpoint: Checkpoint, chunks: Iterable[bytes]) -> None:
    """Write the checkpoint with its heads; the file is there when it is whole."""
    draft = _draft_of(path)
    try:
        with draft.open("xb") as file:
            file.write(write_checkpoint(checkpoint).encode() + b"\n")
            file.writelines(b64encode(chunk) + b"\n" for chunk in chunks)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except OSError as error:
        problem = f"--out: {path} cannot be written ({error.strerror})."
        raise CommandRefusedError(f"{problem} The ledger has the checkpoint: sixpence checkpoint show.") from error
    finally:
        draft.unlink(missing_ok=True)


def read_file(path: Path) -> ExternalCheckpoint:
    """The checkpoint that the file holds, whose heads are read when they are compared; raises `InvalidInputError`."""
    with path.open("rb") as file:
        line = file.readline(LINE_BYTES_MAX)
        more = file.read(1)
    try:
        checkpoint = read_checkpoint(line)
    except InvalidInputError as error:
        raise InvalidInputError(str(path), error.problem) from None
    return ExternalCheckpoint(str(path), checkpoint, _chunks(path) if more else None)


def _draft_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}")


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.readline(LINE_BYTES_MAX)
        while line := file.readline(LINE_BYTES_MAX):
            try:
                yield b64decode(line.rstrip(b"\r\n"), validate=True)
            except binascii.Error:
                yield b"?"  # no heads: the comparison says so
