"""The fixtures of this folder: one installation for each module over each database, and one for a single test.

The tests of a module share an installation, because hashing passwords takes most of the time. Each test uses its own
accounts, or Ada, whose account is deleted before each test.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.http.installation import Installation, delete_account, open_installation, user_id
from tests.ledger.databases import module_url, sqlite_url, verify_clean

__all__ = ["ada", "installation", "module_url", "own_installation", "shop", "sqlite_url"]


@pytest.fixture(scope="module")
async def installation(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation for a module, once over each database; at the end its whole ledger is verified."""
    async with open_installation(module_url, tmp_path_factory.mktemp("home")) as opened:
        yield opened
    verify_clean(module_url)


@pytest.fixture
async def own_installation(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Installation]:
    """An installation for one test, over a SQLite file; at the end its whole ledger is verified."""
    async with open_installation(sqlite_url, tmp_path) as opened:
        yield opened
    verify_clean(sqlite_url)


@pytest.fixture(scope="module")
async def shop(installation: Installation) -> httpx.AsyncClient:
    """A server with an API key."""
    return await installation.server()


@pytest.fixture(scope="module")
async def signed_up(installation: Installation) -> httpx.AsyncClient:
    """Ada's browser, signed in."""
    return await installation.user()


@pytest.fixture
async def ada(installation: Installation, signed_up: httpx.AsyncClient) -> httpx.AsyncClient:
    """Ada's browser, signed in; she has no account yet."""
    delete_account(installation.url, await user_id(signed_up))
    return signed_up
