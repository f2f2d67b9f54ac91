"""The pytest fixtures of the kit, available wherever Sixpence is installed (entry point `pytest11`).

pytest loads this file in every run, so it imports Sixpence only when a fixture is used. The fixtures use each other by
their long names; the short names at the end are aliases, which an app may define for itself. Not here: the values of
the fixtures (`clock`, `accounts`, `proofs`, `site`; `sixpence.ledger.sqlite.memory`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    from sixpence.core.catalog.catalog import Catalog
    from sixpence.ledger.ledger import Ledger
    from sixpence.ledger.sqlite.memory import Memory
    from sixpence.service.blocking import SyncCreditService
    from sixpence.service.credits import CreditService
    from sixpence.testing.accounts import CreditAccounts
    from sixpence.testing.clock import CreditClock
    from sixpence.wiring import Sixpence


# Fixtures that an app's tests may override.


@pytest.fixture
def sixpence_database() -> str | Memory:
    """The database: in memory. Override it with the URL of a SQLite file or a PostgreSQL database."""
    from sixpence.ledger.sqlite.memory import Memory

    return Memory()


@pytest.fixture
def sixpence_catalog() -> Catalog:
    """The prices and plans: the default catalog. Override it: `return read_catalog("sixpence.toml")`."""
    from sixpence.core.catalog.catalog import DEFAULT_CATALOG

    return DEFAULT_CATALOG


@pytest.fixture
def sixpence_clock() -> CreditClock:
    """The clock: 2026-03-01 12:00 UTC until the test moves it."""
    from sixpence.testing.clock import CreditClock

    return CreditClock()


# Fixtures that tests use.


@pytest.fixture
def sixpence_ledger(
    sixpence_database: str | Memory, sixpence_catalog: Catalog, sixpence_clock: CreditClock
) -> Iterator[Ledger]:
    """The ledger of this test; at the end every balance is proved, and a difference fails the test."""
    from sixpence.ledger.ledger import Ledger
    from sixpence.testing.proofs import assert_clean

    ledger = Ledger(sixpence_database, catalog=sixpence_catalog, clock=sixpence_clock)
    try:
        yield ledger
        assert_clean(ledger)
    finally:
        ledger.close()


@pytest.fixture
def sixpence_credits(sixpence_ledger: Ledger) -> CreditService:
    """The service, for code with an event loop."""
    from sixpence.service.credits import CreditService

    return CreditService(sixpence_ledger)


@pytest.fixture
def sixpence_sync_credits(sixpence_ledger: Ledger) -> SyncCreditService:
    """The service on the same ledger, for code without an event loop."""
    from sixpence.service.blocking import SyncCreditService

    return SyncCreditService(sixpence_ledger)


@pytest.fixture
def sixpence_account(sixpence_sync_credits: SyncCreditService) -> CreditAccounts:
    """Creates accounts: `ada = sixpence_account("ada@example.com", balance=3, plan="pro")`; read `ada.remaining`."""
    from sixpence.testing.accounts import CreditAccounts

    return CreditAccounts(sixpence_sync_credits)


@pytest.fixture
def sixpence_parts(sixpence_ledger: Ledger) -> Sixpence:
    """An installation on this ledger: credits, callers, sign-in, API keys (needs `sixpence[server]`)."""
    from sixpence.testing.site import parts_over

    return parts_over(sixpence_ledger)


@pytest.fixture
def sixpence_app(sixpence_parts: Sixpence) -> Starlette:
    """Its ASGI application; to add routes, override it with `wiring.app_of(sixpence_parts, routes=...)`."""
    from sixpence.wiring import app_of

    return app_of(sixpence_parts)


@pytest.fixture
def sixpence_client(sixpence_app: Starlette) -> Iterator[TestClient]:
    """A client of that running application, with an API key (needs httpx)."""
    from sixpence.testing.site import site_client

    with site_client(sixpence_app) as client:
        yield client


# Short names.


@pytest.fixture
def credits(sixpence_credits: CreditService) -> CreditService:
    """Short for `sixpence_credits`: the service, for code with an event loop."""
    return sixpence_credits


@pytest.fixture
def sync_credits(sixpence_sync_credits: SyncCreditService) -> SyncCreditService:
    """Short for `sixpence_sync_credits`: the service, for code without an event loop."""
    return sixpence_sync_credits


@pytest.fixture
def credit_clock(sixpence_clock: CreditClock) -> CreditClock:
    """Short for `sixpence_clock`: the clock, which the test moves."""
    return sixpence_clock


@pytest.fixture
def credit_account(sixpence_account: CreditAccounts) -> CreditAccounts:
    """Short for `sixpence_account`: creates accounts with a balance and a plan."""
    return sixpence_account
