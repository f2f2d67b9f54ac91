"""Fixtures: databases in which an app stores notes beside the credits, and every interface to them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from sixpence.ledger.ledger import Ledger
from tests.ledger.caller_transactions.interfaces import INTERFACES, SHOP, Interface, open_interface
from tests.ledger.databases import empty_tables, migrated_database, run, verify_clean
from tests.support.postgres import PostgresDatabases


@pytest.fixture(scope="session")
def noted_once(postgres_server: PostgresDatabases) -> Iterator[str]:
    """A migrated PostgreSQL database with an app's table, for one test after another."""
    with migrated_database(postgres_server) as url:
        run(url, "CREATE TABLE notes (text text NOT NULL)")
        yield url


@pytest.fixture
def noted_postgres_url(noted_once: str) -> Iterator[str]:
    """The same database, emptied for this test; at the end verify is clean."""
    empty_tables(noted_once, "notes")
    yield noted_once
    verify_clean(noted_once)


@pytest.fixture
def noted_sqlite_url(sqlite_url: str) -> Iterator[str]:
    """The URL of a SQLite file with an app's table; at the end verify is clean."""
    ledger = Ledger(sqlite_url, catalog=SHOP)
    ledger.open()
    ledger.close()
    run(sqlite_url, "CREATE TABLE notes (text text NOT NULL)")
    yield sqlite_url
    verify_clean(sqlite_url)


@pytest.fixture(params=INTERFACES)
def interface_name(request: pytest.FixtureRequest) -> str:
    """Each interface to transactions."""
    return str(request.param)


@pytest.fixture
def noted_url(interface_name: str, request: pytest.FixtureRequest) -> str:
    """The URL of the interface's database."""
    fixture = "noted_sqlite_url" if "sqlite" in interface_name else "noted_postgres_url"
    return str(request.getfixturevalue(fixture))


@pytest.fixture
async def interface(interface_name: str, noted_url: str) -> AsyncIterator[Interface]:
    """Each interface, with a service that is closed at the end."""
    interface = open_interface(interface_name, noted_url)
    yield interface
    await interface.close()
