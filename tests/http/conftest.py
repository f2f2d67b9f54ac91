"""The fixtures of this folder: an installation a module over each database, and an own one over SQLite.

The tests of a module share an installation, since hashing passwords takes longer than all the rest; each takes accounts
of its own, or Ada, who begins anew.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.http.house import House, forget, opened_house, user_id
from tests.ledger.databases import module_url, proved, sqlite_url

__all__ = ["ada", "house", "module_url", "own_house", "shop", "sqlite_url"]


@pytest.fixture(scope="module")
async def house(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """An installation for a module, once over each database; at the end its whole ledger is proved."""
    async with opened_house(module_url, tmp_path_factory.mktemp("home")) as opened:
        yield opened
    proved(module_url)


@pytest.fixture
async def own_house(sqlite_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """An installation of this test's own, over a SQLite file; at the end its whole ledger is proved."""
    async with opened_house(sqlite_url, tmp_path) as opened:
        yield opened
    proved(sqlite_url)


@pytest.fixture(scope="module")
async def shop(house: House) -> httpx.AsyncClient:
    """A server with an API key."""
    return await house.server()


@pytest.fixture(scope="module")
async def signed_up(house: House) -> httpx.AsyncClient:
    """Ada's browser, signed in."""
    return await house.user()


@pytest.fixture
async def ada(house: House, signed_up: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada, signed in; her account has never been made."""
    forget(house.url, await user_id(signed_up))
    return signed_up
