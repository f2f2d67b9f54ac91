"""Database URLs and SQLAlchemy engines: for reads, for writes beside the writer, and for transactions of callers.

Not here: the writer's own connections (`sqlite.store`, `postgres.store`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec
from sqlalchemy import URL, Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool, StaticPool

from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError, InvalidInputError

READERS = 8


class SQLiteFile(msgspec.Struct, frozen=True):
    """A SQLite file and its absolute path."""

    path: str


class PostgresServer(msgspec.Struct, frozen=True):
    """A PostgreSQL database and its connection string."""

    conninfo: str


DatabaseAddress = SQLiteFile | PostgresServer


def parse_database_url(url: str) -> DatabaseAddress:
    """The database that a URL names; raises `InvalidInputError` for anything but a SQLite file or PostgreSQL."""
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
        # Absolute now: the process may change its working directory before the first use.
        return SQLiteFile(str(Path(str(parsed.database)).absolute()))
    if name in ("postgresql", "postgres"):
        return PostgresServer(parsed.set(drivername="postgresql").render_as_string(hide_password=False))
    raise InvalidInputError("database", f"'{name}' is neither sqlite nor postgresql. {example}")


def reading_engine(address: DatabaseAddress) -> Engine:
    """An engine for reads: read-only on SQLite, one transaction per statement on PostgreSQL.

    A pooled connection is not tested before its use, which would cost as much as the read: a failed read is retried.
    """
    if isinstance(address, SQLiteFile):
        uri = f"file:{quote(str(Path(address.path).absolute()))}?mode=ro"
        return create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None),
            pool_size=READERS,
            max_overflow=0,
            poolclass=QueuePool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
        )
    return _postgres_engine(address, isolation_level="AUTOCOMMIT", pool_size=READERS, pool_pre_ping=False)


def writing_engine(address: PostgresServer) -> Engine:
    """An engine for PostgreSQL transactions beside the writer's: users, API keys, catalogs."""
    return _postgres_engine(address, isolation_level="READ COMMITTED", pool_size=2, pool_pre_ping=True)


def callers_engine(address: PostgresServer, *, wait_seconds_max: float) -> Engine:
    """An engine for transactions begun for callers, who wait for a free connection at most this long (seconds)."""
    return _postgres_engine(
        address,
        isolation_level="READ COMMITTED",
        pool_size=READERS,
        pool_pre_ping=True,
        pool_timeout=wait_seconds_max,
    )


def engine_on_connection(connection: sqlite3.Connection) -> Engine:
    """An engine over one SQLite connection, which neither begins nor ends its transactions."""
    return create_engine(
        "sqlite://",
        creator=lambda: connection,
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


def server_clock(connection: Connection) -> int | None:
    """PostgreSQL's time in microseconds; None on SQLite, which uses the process's clock."""
    if connection.dialect.name != "postgresql":
        return None
    return int(connection.scalar(text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")) or 0)


@contextmanager
def report_unavailable() -> Iterator[None]:
    """Raise `DatabaseUnavailableError` for a lost connection, and when no pooled connection is free in time."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise DatabaseUnavailableError from error


def _postgres_engine(
    address: PostgresServer, *, isolation_level: str, pool_size: int, pool_pre_ping: bool, pool_timeout: float = 30.0
) -> Engine:
    try:
        import psycopg  # noqa: F401 - an extra that SQLite does not need
    except ImportError:
        raise DatabaseSetupError("PostgreSQL needs psycopg.", "Install sixpence[postgres].") from None
    url: URL = make_url(address.conninfo).set(drivername="postgresql+psycopg")
    return create_engine(
        url,
        isolation_level=isolation_level,
        pool_size=pool_size,
        max_overflow=0,
        pool_pre_ping=pool_pre_ping,
        pool_timeout=pool_timeout,
        # Logged errors must not show e-mails, hashes or metadata.
        hide_parameters=True,
        connect_args={"connect_timeout": 3, "tcp_user_timeout": 10_000, "application_name": "sixpence"},
    )
