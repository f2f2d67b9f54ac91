"""The fixtures of this folder: running servers over each database."""

import sys
from collections.abc import Callable, Iterator

import pytest

from tests.ledger.databases import migrated_database, verify_clean
from tests.races.served import Served, serving
from tests.support.postgres import PostgresDatabases


@pytest.fixture(scope="package")
def served_by_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server over a SQLite file."""
    home = tmp_path_factory.mktemp("sqlite")
    with serving(f"sqlite:///{home / 'credits.db'}", home, servers=1) as served:
        yield served


@pytest.fixture(scope="package")
def served_by_postgres(
    postgres_server: PostgresDatabases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Two server processes over one PostgreSQL database."""
    with (
        migrated_database(postgres_server) as url,
        serving(url, tmp_path_factory.mktemp("postgres"), servers=2) as served,
    ):
        yield served


@pytest.fixture(params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    """One server over SQLite, then two over PostgreSQL; after each test the whole ledger is verified."""
    name = {"sqlite": "served_by_sqlite", "postgresql": "served_by_postgres"}[request.param]
    running: Served = request.getfixturevalue(name)
    yield running
    verify_clean(running.database_url)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Writes a figure to the terminal, past pytest's capture."""
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n{text}")

    return write
