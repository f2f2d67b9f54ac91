"""The fixtures of this folder: a service over a fresh database of each kind and in memory, and a clock to move."""

from collections.abc import AsyncIterator

import pytest

from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import (
    Database,
    clock,
    database,
    migrated_once,
    migrated_postgres_url,
    module_database,
    proved,
    sqlite_url,
)
from tests.ledger.moved_clock import MovedClock
from tests.service.priced import CATALOG

__all__ = [
    "clock",
    "credits",
    "database",
    "migrated_once",
    "migrated_postgres_url",
    "module_database",
    "module_url",
    "priced",
    "sqlite_url",
    "url",
]


@pytest.fixture
def url(database: Database) -> Database:
    """Where the credits are kept: the URL of a fresh database, once of each kind, and once the test kit's memory."""
    return database


@pytest.fixture(scope="module")
def module_url(module_database: Database) -> Database:
    """The same for a whole module: for tests that leave it as it was."""
    return module_database


@pytest.fixture
async def credits(url: Database, clock: MovedClock) -> AsyncIterator[CreditService]:
    """A service whose time the test moves; at the end its whole ledger is proved."""
    async with CreditService(Ledger(url, clock=clock)) as service:
        yield service
    proved(url)


@pytest.fixture
async def priced(url: Database, clock: MovedClock) -> AsyncIterator[CreditService]:
    """The same under a catalog in which everything occurs."""
    async with CreditService(Ledger(url, clock=clock, catalog=CATALOG)) as service:
        yield service
    proved(url)
