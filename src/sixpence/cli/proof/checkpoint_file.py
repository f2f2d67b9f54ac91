"""A checkpoint as a file, to be kept away from the database: the document in the first line, then the signed heads.

Each further line is a chunk of heads in base64, so that a file of any length is read with little memory. The ledger can
be compared with the file even if its own checkpoints are lost. Not here: the comparison
(`sixpence.ledger.checkpoints.compare`).
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

# The longest line is one of heads; a document has some five hundred bytes.
LINE_BYTES_MAX = 4 * -(-HEADS_PER_CHUNK * HEAD_BYTES // 3) + 2


def check_destination(path: Path) -> None:
    """Raise `CommandRefusedError` if the file exists or cannot be written: no checkpoint is ever overwritten."""
    if os.path.lexists(path):
        raise CommandRefusedError(f"--out: {path} exists already. Name a new file.")
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
    """Write the checkpoint with its heads; the file appears only once it is complete."""
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
        raise CommandRefusedError(f"{problem} The ledger has stored it: sixpence checkpoint show.") from error
    finally:
        draft.unlink(missing_ok=True)


def read_file(path: Path) -> ExternalCheckpoint:
    """Read the checkpoint; its heads are read later, by the comparison. Raises `InvalidInputError`."""
    with path.open("rb") as file:
        line = file.readline(LINE_BYTES_MAX)
        has_heads = bool(file.read(1))
    try:
        checkpoint = read_checkpoint(line)
    except InvalidInputError as error:
        raise InvalidInputError(str(path), error.problem) from None
    return ExternalCheckpoint(str(path), checkpoint, _read_chunks(path) if has_heads else None)


def _draft_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}")


def _read_chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.readline(LINE_BYTES_MAX)
        while line := file.readline(LINE_BYTES_MAX):
            try:
                yield b64decode(line.rstrip(b"\r\n"), validate=True)
            except binascii.Error:
                yield b"?"  # never valid heads, so the comparison reports them
