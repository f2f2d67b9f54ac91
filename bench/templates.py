"""Template databases: a template is filled once for a part, and every run works on its own copy.

Lives here: the PostgreSQL server that all contenders share, and copies on both databases. Not here: the content of a
template (`accounts`, `pgbench`, `contenders`).
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit, urlunsplit

import msgspec
import psycopg
from psycopg import sql

from tests.support.postgres import PostgresServer

# The same for all contenders. Copying a template is a checkpoint; with these settings no other one falls into a run.
SETTINGS = {
    "shared_buffers": "256MB",
    "max_connections": "300",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
}


class Template(Protocol):
    """A database that is copied for each run; nobody may be connected to it."""

    @property
    def url(self) -> str:
        """The template's own URL."""

    @contextmanager
    def copied(self) -> Iterator[str]:
        """The URL of a copy, which is removed at the end."""


class PostgresTemplate(msgspec.Struct, frozen=True):
    """A template on a PostgreSQL server."""

    server: PostgresServer
    url: str

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Copy the database by PostgreSQL's FILE_COPY, which is also a checkpoint."""
        name = f"run_{secrets.token_hex(6)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        template = urlsplit(self.url).path.removeprefix("/")
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        copy = urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))
        try:
            yield copy
        finally:
            self.server.drop_database(copy)


class SQLiteTemplate(msgspec.Struct, frozen=True):
    """A template file, which is closed."""

    path: Path

    @property
    def url(self) -> str:
        """The template's own URL."""
        return f"sqlite:///{self.path}"

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Copy the file into its own folder and sync it, so that nothing of it is written later."""
        with tempfile.TemporaryDirectory(prefix="sixpence-bench-") as folder:
            path = Path(folder) / "credits.db"
            shutil.copyfile(self.path, path)
            descriptor = os.open(path, os.O_RDWR)
            os.fsync(descriptor)
            os.close(descriptor)
            yield f"sqlite:///{path}"


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL with its default durability and the bench's settings."""
    with PostgresServer(SETTINGS) as server:
        yield server


def settle(url: str) -> None:
    """Vacuum and analyze a template on PostgreSQL, like a database that has run for a while."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
