"""A secret in a file of its own: made once, readable by its owner alone, the same at every start."""

import contextlib
import os
import secrets
from pathlib import Path


def kept_secret(path: Path, made: str) -> str:
    """The secret that the file holds; where there is no file, it is made and holds `made`."""
    # Beside it come password hashes and credits: nobody else on this machine looks in.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write(path, made)
    return path.read_text().strip()


def _write(path: Path, secret: str) -> None:
    # Written beside and then linked: of several processes that start at once the first one's is kept, and none reads
    # half of it.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
