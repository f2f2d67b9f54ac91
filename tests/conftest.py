"""The fixtures for all tests: real PostgreSQL databases and a real browser.

Async tests run on asyncio, without a mark. Not here: starting the servers (tests/support/).
"""

import os
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from playwright.sync_api import Browser, Page

from tests.support.chromium import launched_chromium
from tests.support.postgres import PostgresDatabases, PostgresServer, fresh_database
from tests.support.quick import guarded, mark_quick, refuse_in_quick_tests


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the quick tests, before `-m quick` chooses among all, and brings files of quick tests alone to the end.

    Where files are given to several processes in this order, short ones at the end let all of them end together.
    """
    for item in items:
        mark_quick(item)
    long = {item.path for item in items if not item.get_closest_marker("quick")}
    items.sort(key=lambda item: item.path not in long)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Refuses fixtures that a quick test may not have."""
    with guarded(item.nodeid) if item.get_closest_marker("quick") else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Refuses what a quick test may not do."""
    with guarded(item.nodeid) if item.get_closest_marker("quick") else nullcontext():
        return (yield)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run async tests on asyncio, the only event loop that Sixpence supports."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresDatabases]:
    """The PostgreSQL server of all tests: `SIXPENCE_TEST_DATABASE_URL`, or one started for this run. Do not stop it."""
    refuse_in_quick_tests("PostgreSQL")
    given = os.environ.get("SIXPENCE_TEST_DATABASE_URL")
    if given:
        yield PostgresDatabases(given)
        return
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresDatabases) -> Iterator[str]:
    """The URL of an empty PostgreSQL database for one test."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def own_postgres_server() -> Iterator[PostgresServer]:
    """A running PostgreSQL server for one test, which may kill, stop and start it."""
    with PostgresServer() as server:
        yield server


# One browser for each module, not for the session: while Playwright's synchronous interface is open, its event loop
# occupies the thread, and no async test can run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A running headless Chromium. A module that uses it has no async tests."""
    with launched_chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a new browser context: no cookies, no storage."""
    context = browser.new_context()
    try:
        yield context.new_page()
    finally:
        context.close()
