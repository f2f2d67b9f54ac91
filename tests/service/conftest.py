"""Fixtures: a service over a fresh database of each kind and in memory, and a clock to move."""

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
    sqlite_url,
    verify_clean,
)
from tests.ledger.moved_clock import MovedClock
from tests.service.full_catalog import CATALOG

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
    """A fresh database: the URL of one of each kind, and the test kit's memory."""
    return database


@pytest.fixture(scope="module")
def module_url(module_database: Database) -> Database:
    """The same for a whole module, for tests that change nothing."""
    return module_database


@pytest.fixture
async def credits(url: Database, clock: MovedClock) -> AsyncIterator[CreditService]:
    """A service whose clock the test moves; at the end its whole ledger is verified."""
    async with CreditService(Ledger(url, clock=clock)) as service:
        yield service
    verify_clean(url)


@pytest.fixture
async def priced(url: Database, clock: MovedClock) -> AsyncIterator[CreditService]:
    """The same with a catalog that has every kind of price and plan."""
    async with CreditService(Ledger(url, clock=clock, catalog=CATALOG)) as service:
        yield service
    verify_clean(url)
