"""Our templates: a database with accounts that have credits, and an API key, filled through the ledger itself."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bench.templates import PostgresTemplate, SQLiteTemplate, Template, settle
from sixpence.core.account.commands import EnsureAccount, GrantCredits
from sixpence.ledger.database import migrate
from sixpence.ledger.database.engines import PostgresServer as PostgresPlace
from sixpence.ledger.database.engines import parse_database_url
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.postgres.store import PostgresStore
from sixpence.ledger.sqlite.store import SQLiteStore, system_clock
from sixpence.ledger.writer.batch import Accepted, Request
from sixpence.ledger.writer.worker import BatchWorker
from tests.support.postgres import PostgresServer
from tests.support.server import environment_for, run_sixpence

AT_ONCE = 250
CREDITS = 1_000_000_000


class Filled(msgspec.Struct, frozen=True):
    """A template with the accounts `user_1` to `user_N`, and a key that its servers take."""

    template: Template
    key: str
    accounts: int


def filled_postgres(server: PostgresServer, accounts: int) -> Filled:
    """A filled database on the server."""
    url = server.create_database()
    place = parse_database_url(url)
    assert isinstance(place, PostgresPlace)
    migrate.upgrade_postgres(place)
    _open_once(url)
    _fill(BatchWorker(PostgresStore(place.conninfo)), accounts)
    key = _key(url)
    settle(url)
    return Filled(PostgresTemplate(server, url), key, accounts)


@contextmanager
def filled_sqlite(accounts: int) -> Iterator[Filled]:
    """Make a filled file, which is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="sixpence-bench-") as folder:
        template = SQLiteTemplate(Path(folder) / "template.db")
        _open_once(template.url)
        _fill(BatchWorker(SQLiteStore(str(template.path), clock=system_clock)), accounts)
        yield Filled(template, _key(template.url), accounts)


def _open_once(url: str) -> None:
    """Open the database once, which writes the schema and the catalog."""
    ledger = Ledger(url)
    ledger.open()
    ledger.close()


def _fill(lane: BatchWorker, accounts: int) -> None:
    """Two rows an account: its signup credits, and a grant that lasts."""
    for start in range(1, accounts + 1, AT_ONCE):
        names = [f"user_{number}" for number in range(start, min(start + AT_ONCE, accounts + 1))]
        outcomes = lane.run(
            [Request(name, command) for name in names for command in (EnsureAccount(), GrantCredits(amount=CREDITS))]
        )
        if not all(isinstance(outcome, Accepted) for outcome in outcomes):
            raise RuntimeError(f"an account could not be filled: {outcomes}")
    lane.close()


def _key(url: str) -> str:
    with tempfile.TemporaryDirectory() as home:
        environment = environment_for(Path(home), url)
        done = run_sixpence("key", "create", "--name", "bench", cwd=Path(home), environment=environment)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip()
