"""The database behind a URL: engines to read with, connections to write with, and which of the two it is."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import QueuePool, StaticPool

from sixpence.core.errors import DatabaseSetupError, InvalidInputError

READERS = 8


class SQLiteFile(msgspec.Struct, frozen=True):
    """A SQLite file by its path."""

    path: str


class PostgresServer(msgspec.Struct, frozen=True):
    """A PostgreSQL database by its connection string."""

    conninfo: str


Place = SQLiteFile | PostgresServer


def place_of(url: str) -> Place:
    """What a database URL names; raises `InvalidInputError` for anything but a SQLite file or PostgreSQL."""
    example = "Send one like sqlite:///credits.db or postgresql://user@host/database."
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InvalidInputError("database", f"is not a database URL. {example}") from None
    name = parsed.get_backend_name()
    if name == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise InvalidInputError(
                "database", f"'{url}' names no file, and credits must outlive the process. {example}"
            )
        # Where it is now: a process may change its folder before the first use.
        return SQLiteFile(str(Path(str(parsed.database)).absolute()))
    if name in ("postgresql", "postgres"):
        return PostgresServer(parsed.set(drivername="postgresql").render_as_string(hide_password=False))
    raise InvalidInputError("database", f"'{name}' is neither sqlite nor postgresql. {example}")


def reading_engine(place: Place) -> Engine:
    """An engine for reads: on SQLite it cannot write, on PostgreSQL each statement stands for itself.

    A connection is not tried before it is used, which would cost as much as the read; whoever reads may read again.
    """
    if isinstance(place, SQLiteFile):
        uri = f"file:{quote(str(Path(place.path).absolute()))}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None),
            pool_size=READERS,
            max_overflow=0,
            poolclass=QueuePool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
    return _postgres_engine(place, isolation_level="AUTOCOMMIT", pool_size=READERS, pool_pre_ping=False)


def writing_engine(place: PostgresServer) -> Engine:
    """An engine for PostgreSQL transactions beside the writer's: users, keys, catalogs."""
    return _postgres_engine(place, isolation_level="READ COMMITTED", pool_size=2, pool_pre_ping=True)


def callers_engine(place: PostgresServer, *, wait_seconds_max: float) -> Engine:
    """An engine for transactions that callers begin here; whoever finds no connection free waits so long at most."""
    return _postgres_engine(
        place,
        isolation_level="READ COMMITTED",
        pool_size=READERS,
        pool_pre_ping=True,
        pool_timeout=wait_seconds_max,
    )


def lent_engine(connection: sqlite3.Connection) -> Engine:
    """SQLAlchemy over the writer's own SQLite connection, whose transactions it neither begins nor ends."""
    return create_engine(
        "sqlite://",
        creator=lambda: connection,
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


def server_clock(connection: Connection) -> int | None:
    """PostgreSQL's own time in microseconds; None on SQLite, where the process's clock counts."""
    if connection.dialect.name != "postgresql":
        return None
    return int(connection.scalar(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")) or 0)


def _postgres_engine(
    place: PostgresServer, *, isolation_level: str, pool_size: int, pool_pre_ping: bool, pool_timeout: float = 30.0
) -> Engine:
    try:
        import psycopg  # noqa: F401 - an extra: a SQLite user does not have it
    except ImportError:
        raise DatabaseSetupError("PostgreSQL needs psycopg.", "Install sixpence[postgres].") from None
    url: URL = make_url(place.conninfo).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        isolation_level=isolation_level,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=pool_pre_ping,
        pool_timeout=pool_timeout,
        # An error that is logged must not show e-mails, hashes or metadata.
        hide_parameters=True,
        connect_args={"connect_timeout": 3, "tcp_user_timeout": 10_000, "application_name": "sixpence"},
    )
