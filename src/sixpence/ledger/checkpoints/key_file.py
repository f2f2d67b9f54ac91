"""A secret in a file: created once, readable only by its owner, the same at every start."""

import contextlib
import os
import secrets
from pathlib import Path


def load_or_create_secret(path: Path, new_secret: str) -> str:
    """The secret in the file; a missing file is created with `new_secret`."""
    # The folder also holds password hashes and credits, so other users of this machine may not read it.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        _write(path, new_secret)
    return path.read_text().strip()


def _write(path: Path, secret: str) -> None:
    # Written to another file and then linked: if several processes start at once, the first one's secret wins, and no
    # process reads half of it.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
