"""Fixtures: the sign-in over a SQLite file and over PostgreSQL, with a clock that tests move."""

from collections.abc import Iterator

import pytest

from sixpence.auth.api_keys import ApiKeys
from sixpence.auth.passwords import Passwords
from sixpence.auth.sign_in import EmbeddedSignIn
from tests.auth.sign_in_setup import SECRET, CountedHashing, SettableClock, SqlDatabase, postgres_ledger, sqlite_ledger
from tests.support.postgres import PostgresDatabases, fresh_database


@pytest.fixture(scope="module")
def sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlDatabase]:
    """A SQLite file with Sixpence's tables."""
    ledger = sqlite_ledger(tmp_path_factory.mktemp("sign-in") / "credits.db")
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def postgres_database(postgres_server: PostgresDatabases) -> Iterator[SqlDatabase]:
    """A PostgreSQL database with Sixpence's tables."""
    with fresh_database(postgres_server) as url:
        ledger = postgres_ledger(url)
        yield ledger
        ledger.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> SqlDatabase:
    """An empty database; each test that uses it runs on both kinds."""
    empty: SqlDatabase = request.getfixturevalue(f"{request.param}_database")
    empty.empty()
    return empty


@pytest.fixture
def clock() -> SettableClock:
    """A clock that the test moves."""
    return SettableClock()


@pytest.fixture
def hashing() -> CountedHashing:
    """Real hashing of low cost, counted."""
    return CountedHashing()


@pytest.fixture
def sign_in(database: SqlDatabase, clock: SettableClock, hashing: CountedHashing) -> EmbeddedSignIn:
    """The embedded sign-in, without users."""
    return EmbeddedSignIn(database, SECRET, clock, Passwords(hashing))


@pytest.fixture
def api_keys(database: SqlDatabase, clock: SettableClock) -> ApiKeys:
    """`ApiKeys`, without keys."""
    return ApiKeys(database, clock)
