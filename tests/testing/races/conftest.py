"""The fixtures of this folder: databases of both kinds, Ada's account, and apps of a test's own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from sixpence import CreditService
from tests.ledger.databases import migrated_once, migrated_postgres_url, sqlite_url, url, verify_clean

__all__ = ["credits", "migrated_once", "migrated_postgres_url", "sqlite_credits", "sqlite_url", "url"]


@pytest.fixture
async def credits(url: str) -> AsyncIterator[CreditService]:
    """A service over a fresh database of each kind; at the end its whole ledger is proved."""
    async with CreditService(url) as service:
        yield service
    verify_clean(url)


@pytest.fixture
async def sqlite_credits(sqlite_url: str) -> AsyncIterator[CreditService]:
    """A service over a fresh SQLite file, for tests of what the database has no part in."""
    async with CreditService(sqlite_url) as service:
        await asyncio.to_thread(service.ledger.open)
        yield service
    verify_clean(sqlite_url)
