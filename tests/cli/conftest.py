"""Installations for the commands: with and without a server, on both databases, each in its own folder."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.postgres import PostgresDatabases, fresh_database
from tests.support.server import ServerProcess, environment_for, running_server


@pytest.fixture
def idle(tmp_path: Path) -> ServerProcess:
    """An installation on an empty SQLite file, without a running server."""
    return ServerProcess(tmp_path, environment_for(tmp_path, None), workers=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server on a new SQLite file."""
    with running_server(None, tmp_path) as running:
        yield running


@pytest.fixture(scope="module", params=["through a server", "on PostgreSQL"])
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresDatabases
) -> Iterator[ServerProcess]:
    """Commands run through a server on SQLite, or without one on PostgreSQL. The tests of a module share it."""
    home = tmp_path_factory.mktemp("home")
    with ExitStack() as stack:
        if request.param == "through a server":
            yield stack.enter_context(running_server(None, home))
            return
        url = stack.enter_context(fresh_database(postgres_server))
        stopped = ServerProcess(home, environment_for(home, url), workers=1)
        assert stopped.run("db", "upgrade").returncode == 0
        yield stopped
