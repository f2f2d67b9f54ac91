"""The fixtures of this folder: a service over a fresh database of each kind, and a clock to move."""

from collections.abc import AsyncIterator

import pytest

from sixpence.ledger.ledger import Ledger
from sixpence.service.credits import CreditService
from tests.ledger.databases import clock, migrated_once, migrated_postgres_url, module_url, proved, sqlite_url, url
from tests.ledger.moved_clock import MovedClock
from tests.service.priced import CATALOG

__all__ = ["clock", "credits", "migrated_once", "migrated_postgres_url", "module_url", "priced", "sqlite_url", "url"]


@pytest.fixture
async def credits(url: str, clock: MovedClock) -> AsyncIterator[CreditService]:
    """A service whose time the test moves; at the end its whole ledger is proved."""
    async with CreditService(Ledger(url, clock=clock)) as service:
        yield service
    proved(url)


@pytest.fixture
async def priced(url: str, clock: MovedClock) -> AsyncIterator[CreditService]:
    """The same under a catalog in which everything occurs."""
    async with CreditService(Ledger(url, clock=clock, catalog=CATALOG)) as service:
        yield service
    proved(url)
