"""Fresh databases for the ledger's tests, and looking into them past Sixpence: raw rows, snapshots, verify.

Lives here: the fixtures that give one suite both databases (imported by each folder's conftest.py).
Not here: how a PostgreSQL server is started (tests/support/postgres.py).
"""

import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from sixpence.ledger import migrate
from sixpence.ledger.database import PostgresServer, place_of, reading_engine
from sixpence.ledger.verify import Report, verify
from tests.ledger.moved_clock import MovedClock
from tests.support.postgres import PostgresDatabases

Snapshot = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def clock() -> MovedClock:
    """The time, for the test to move."""
    return MovedClock()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: PostgresDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database from which each test's own is copied."""
    url = postgres_server.create_database()
    upgrade(url)
    yield url
    postgres_server.drop_database(url)


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresDatabases, migrated_template: str) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, this test's alone."""
    with _copied(postgres_server, migrated_template) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that is not there yet, in a folder with a space in its name."""
    folder = tmp_path / "the credits"
    folder.mkdir()
    return f"sqlite:///{folder / 'credits.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database, once of each kind."""
    name = {"sqlite": "sqlite_url", "postgresql": "migrated_postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_url(
    request: pytest.FixtureRequest, postgres_server: PostgresDatabases, migrated_template: str
) -> Iterator[str]:
    """The URL of a database for a whole module, once of each kind: for tests that leave it as it was."""
    if request.param == "postgresql":
        with _copied(postgres_server, migrated_template) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/credits.db"


def upgrade(url: str) -> None:
    """Brings a PostgreSQL database to this version's schema, as `sixpence db upgrade` does."""
    place = place_of(url)
    assert isinstance(place, PostgresServer)
    migrate.upgrade_postgres(place)


def raw_engine(url: str) -> Engine:
    """An engine that has nothing of Sixpence's."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, poolclass=NullPool)


def rows(url: str, query: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """What a query answers; bytes as bytes on both databases."""
    with raw_engine(url).connect() as connection:
        return [_plain(tuple(row)) for row in connection.execute(text(query), values or {})]


def run(url: str, statement: str, values: Mapping[str, Any] | None = None) -> int:
    """Runs a statement, commits it, and says how many rows it touched."""
    with raw_engine(url).begin() as connection:
        return connection.execute(text(statement), values or {}).rowcount


def snapshot(url: str) -> Snapshot:
    """Every byte that stands in the accounts, the ledger and the outbox."""
    return {
        table: rows(url, f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("credit_accounts", "credit_transactions", "outbox")
    }


def ledger_of(url: str, account_id: str) -> list[tuple[Any, ...]]:
    """An account's rows as (seq, kind, amount, balance_after), oldest first."""
    query = "SELECT seq, kind, amount, balance_after FROM credit_transactions WHERE account_id = :id ORDER BY seq"
    return rows(url, query, {"id": account_id})


def consumed(url: str, account_id: str) -> int:
    """How many uses stand in an account's ledger."""
    query = "SELECT count(*) FROM credit_transactions WHERE account_id = :id AND kind = 'consume'"
    return int(rows(url, query, {"id": account_id})[0][0])


def proved(url: str) -> Report:
    """The report of `verify` over the whole database, which has to be clean."""
    engine = reading_engine(place_of(url))
    try:
        with engine.connect() as connection:
            report = verify(connection)
    finally:
        engine.dispose()
    assert report.differences == []
    return report


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


@contextmanager
def _copied(server: PostgresDatabases, template: str) -> Iterator[str]:
    """A database copied from another, removed at the end."""
    names = [f"db_{secrets.token_hex(6)}", urlsplit(template).path.removeprefix("/")]
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*map(sql.Identifier, names)))
    url = urlunsplit(urlsplit(server.url)._replace(path=f"/{names[0]}"))
    yield url
    server.drop_database(url)
