"""Fresh databases for the ledger's tests, and functions that read and change them without Sixpence.

The fixtures run one suite over both databases, or over these and a memory; each folder's conftest.py imports them. Not
here: starting a PostgreSQL server (tests/support/postgres.py).
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from sixpence.core.catalog.catalog import Catalog
from sixpence.ledger.database import catalogs, migrate
from sixpence.ledger.database.engines import PostgresServer, engine_on_connection, parse_database_url, reading_engine
from sixpence.ledger.database.tables import metadata
from sixpence.ledger.sqlite.memory import Memory
from sixpence.ledger.verify.verify import Report, verify
from tests.ledger.moved_clock import MovedClock
from tests.support.postgres import PostgresDatabases, fresh_database

_CREDIT_TABLES = ("credit_accounts", "credit_transactions", "credit_holds", "source_claims", "outbox")

Snapshot = dict[str, list[tuple[Any, ...]]]
Database = str | Memory

TRUNCATED_BYTES_MIN = 2**19


@pytest.fixture
def clock() -> MovedClock:
    """A clock that the test moves."""
    return MovedClock()


@pytest.fixture(scope="session")
def migrated_once(postgres_server: PostgresDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database that the tests use one after another."""
    with migrated_database(postgres_server) as url:
        yield url


@pytest.fixture
def migrated_postgres_url(migrated_once: str) -> str:
    """The URL of a migrated PostgreSQL database, emptied for this test; tests may change rows, but not tables."""
    empty_tables(migrated_once)
    return migrated_once


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet, in a folder with a space in its name."""
    folder = tmp_path / "the credits"
    folder.mkdir()
    return f"sqlite:///{folder / 'credits.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh database, once of each kind."""
    name = {"sqlite": "sqlite_url", "postgresql": "migrated_postgres_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture(params=["sqlite", "postgresql", "memory"])
def database(request: pytest.FixtureRequest) -> Database:
    """A fresh database, once of each kind and once in memory: for suites without files and second processes."""
    name = {"sqlite": "sqlite_url", "postgresql": "migrated_postgres_url"}.get(request.param)
    return Memory() if name is None else str(request.getfixturevalue(name))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_url(request: pytest.FixtureRequest, postgres_server: PostgresDatabases) -> Iterator[str]:
    """The URL of a database for a whole module, once of each kind."""
    if request.param == "postgresql":
        with migrated_database(postgres_server) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/credits.db"


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "memory"])
def module_database(request: pytest.FixtureRequest, postgres_server: PostgresDatabases) -> Iterator[Database]:
    """A database for a whole module, once of each kind and once in memory."""
    if request.param == "memory":
        yield Memory()
    elif request.param == "postgresql":
        with migrated_database(postgres_server) as url:
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/credits.db"


@contextmanager
def migrated_database(databases: PostgresDatabases) -> Iterator[str]:
    """Create a PostgreSQL database at the newest schema, dropped at the end."""
    with fresh_database(databases) as url:
        upgrade(url)
        yield url


def empty_tables(url: str, *more: str) -> None:
    """Delete every row of Sixpence's tables in a PostgreSQL database, and of `more` tables."""
    names = [*(table.name for table in metadata.sorted_tables), *more]
    with psycopg.connect(url) as connection:
        connection.execute("SET lock_timeout = '5s'")
        sizes = connection.execute("SELECT pg_relation_size(name::regclass) FROM unnest(%s::text[]) AS name", [names])
        # TRUNCATE makes new files for each table and index. For the rows of one test DELETE takes a fifth of its time.
        if max(size for (size,) in sizes) > TRUNCATED_BYTES_MIN:
            connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))
        else:
            for name in names:
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(name)))


def upgrade(url: str) -> None:
    """Upgrade a PostgreSQL database to the newest schema, like `sixpence db upgrade`."""
    place = parse_database_url(url)
    assert isinstance(place, PostgresServer)
    migrate.upgrade_postgres(place)


def raw_engine(url: str) -> Engine:
    """An engine without Sixpence's settings."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, poolclass=NullPool)


@contextmanager
def raw_connection(url: Database) -> Iterator[Connection]:
    """Connect without Sixpence; changes are committed at the end."""
    if not isinstance(url, Memory):
        with raw_engine(url).begin() as connection:
            yield connection
        return
    try:
        with engine_on_connection(url.acquire()).connect() as connection:
            yield connection
    finally:
        url.release()


def rows(url: Database, query: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """The rows of a query, with bytes as `bytes` on both databases."""
    with raw_connection(url) as connection:
        return [_plain(tuple(row)) for row in connection.execute(text(query), values or {})]


def run(url: Database, statement: str, values: Mapping[str, Any] | None = None) -> int:
    """Run a statement, commit it, and return the number of affected rows."""
    with raw_connection(url) as connection:
        return connection.execute(text(statement), values or {}).rowcount


def apply_catalog(url: Database, catalog: Catalog, now: int) -> None:
    """Apply the catalog."""
    with raw_connection(url) as connection:
        catalogs.apply(connection, catalog, now=now)


def snapshot(url: Database) -> Snapshot:
    """Every row of the accounts, the ledger, the holds, the claims and the outbox."""
    return {table: rows(url, f"SELECT * FROM {table} ORDER BY 1, 2") for table in _CREDIT_TABLES}


def ledger_of(url: Database, account_id: str) -> list[tuple[Any, ...]]:
    """An account's rows as (seq, kind, amount, balance_after), oldest first."""
    query = "SELECT seq, kind, amount, balance_after FROM credit_transactions WHERE account_id = :id ORDER BY seq"
    return rows(url, query, {"id": account_id})


def count_uses(url: Database, account_id: str) -> int:
    """The number of uses in an account's ledger."""
    query = "SELECT count(*) FROM credit_transactions WHERE account_id = :id AND kind = 'consume'"
    return int(rows(url, query, {"id": account_id})[0][0])


def run_verify(url: Database, *, decide: bool = False) -> Report:
    """The report of `verify` over the whole database; `decide` also decides every row again."""
    if isinstance(url, Memory):
        with url.connect() as connection:
            return verify(connection, decide=decide)
    engine = reading_engine(parse_database_url(url))
    try:
        with engine.connect() as connection:
            return verify(connection, decide=decide)
    finally:
        engine.dispose()


def verify_clean(url: Database, *, decide: bool = False) -> Report:
    """Run `verify` and assert that its report is clean."""
    report = run_verify(url, decide=decide)
    assert report.differences == []
    return report


def _plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
