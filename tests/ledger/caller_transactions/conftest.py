"""The fixtures of this folder: databases in which an app keeps notes beside the credits, and every way to use them."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from psycopg import sql

from sixpence.ledger.database.tables import metadata
from sixpence.ledger.ledger import Ledger
from tests.ledger.caller_transactions.ways import SHOP, WAYS, Way, open_way
from tests.ledger.databases import migrated_database, proved, run
from tests.support.postgres import PostgresDatabases


@pytest.fixture(scope="session")
def noted_once(postgres_server: PostgresDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database with a table of the app's, for one test after another."""
    with migrated_database(postgres_server) as url:
        run(url, "CREATE TABLE notes (text text NOT NULL)")
        yield url


@pytest.fixture
def noted_postgres_url(noted_once: str) -> Iterator[str]:
    """The same, emptied for this test; at the end its ledger is proved."""
    names = [*(table.name for table in metadata.sorted_tables), "notes"]
    with psycopg.connect(noted_once) as connection:
        connection.execute("SET lock_timeout = '5s'")
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))
    yield noted_once
    proved(noted_once)


@pytest.fixture
def noted_sqlite_url(sqlite_url: str) -> Iterator[str]:
    """The URL of a SQLite file with a table of the app's; at the end its ledger is proved."""
    ledger = Ledger(sqlite_url, catalog=SHOP)
    ledger.open()
    ledger.close()
    run(sqlite_url, "CREATE TABLE notes (text text NOT NULL)")
    yield sqlite_url
    proved(sqlite_url)


@pytest.fixture(params=WAYS)
def way_name(request: pytest.FixtureRequest) -> str:
    """Each way to have a transaction of one's own."""
    return str(request.param)


@pytest.fixture
def noted_url(way_name: str, request: pytest.FixtureRequest) -> str:
    """The URL of the database that the way is over."""
    fixture = "noted_sqlite_url" if "sqlite" in way_name else "noted_postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
async def way(way_name: str, noted_url: str) -> AsyncIterator[Way]:
    """Each way, with a service that is closed at the end."""
    way = open_way(way_name, noted_url)
    yield way
    await way.close()
