"""A database of the first schema with rows of its version (schema_0001.json) is upgraded to today's schema."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from sixpence.core.account.commands import CaptureHold, Consume, PlaceHold, Refund, VoidGrant
from sixpence.ledger.database import migrate
from sixpence.ledger.writer.batch import Accepted
from tests.ledger.databases import raw_engine, rows, upgrade, verify_clean
from tests.ledger.moved_clock import MovedClock
from tests.ledger.writer.worker_driver import ADA, reopen_driver, summarize

MIGRATIONS = Path(migrate.__file__).parents[1] / "migrations"
WRITTEN = json.loads((Path(__file__).parent / "schema_0001.json").read_text())


@pytest.fixture(params=["sqlite", "postgresql"])
def old_url(request: pytest.FixtureRequest) -> str:
    """The URL of a database of the first schema, with two accounts and twelve transactions."""
    name = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    url = str(request.getfixturevalue(name))
    if request.param == "sqlite":
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.executescript((MIGRATIONS / "sqlite" / "0001.sql").read_text())
    else:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")
        config.set_main_option("sqlalchemy.url", url.replace("postgresql://", "postgresql+psycopg://", 1))
        command.upgrade(config, "0001")
    with raw_engine(url).begin() as writing:
        for table, lines in WRITTEN.items():
            for line in lines:
                names = ", ".join(f":{name}" for name in line)
                insert = text(f"INSERT INTO {table} ({', '.join(line)}) VALUES ({names})")
                writing.execute(insert, {name: _value(value) for name, value in line.items()})
    return url


def test_upgrade_keeps_every_row(old_url: str) -> None:
    """No byte of a row changes; the new column is empty, and verify is clean by today's rules."""
    before = _ledger(old_url)

    _open(old_url)

    assert (_ledger(old_url), rows(old_url, "SELECT count(about_seq) FROM credit_transactions")) == (before, [(0,)])
    report = verify_clean(old_url)
    assert (report.accounts, report.transactions) == (2, 12)


def test_new_commands_work_on_old_accounts(old_url: str, clock: MovedClock) -> None:
    """An old use is refunded, an old grant is voided, and holds are placed and captured."""
    _open(old_url)
    clock.move(days=4)
    driver = reopen_driver(old_url, clock)
    used, paid = (
        str(rows(old_url, f"SELECT id FROM credit_transactions WHERE account_id = '{ADA}' AND seq = {seq}")[0][0])
        for seq in (8, 2)
    )

    outcomes = driver.run(
        Refund(transaction_id=used),
        VoidGrant(grant_id=paid),
        Consume(feature="video"),
        PlaceHold(feature="video", ttl_seconds=60),
    )
    assert isinstance(outcomes[3], Accepted)
    assert outcomes[3].row is not None
    outcomes += driver.run(CaptureHold(hold_id=outcomes[3].row.id))
    driver.store.close()

    assert summarize(outcomes) == [("refund", 1), ("void", -9), ("consume", -1), ("hold", -1), ("capture", 0)]
    verify_clean(old_url)


def test_view_of_grants_shows_old_grants(old_url: str) -> None:
    """Each grant with its remaining amount, as in the first schema."""
    query = "SELECT account_id, id, amount, remaining, category, state FROM credit_grants ORDER BY id"
    before = rows(old_url, query)

    _open(old_url)

    assert (rows(old_url, query), len(before)) == (before, 5)


def _open(url: str) -> None:
    """Upgrade to today's schema, like opening a file, or `sixpence db upgrade` on a server."""
    if url.startswith("postgresql"):
        upgrade(url)
        return
    with sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None) as connection:
        migrate.upgrade_sqlite(connection)


def _ledger(url: str) -> list[list[tuple[Any, ...]]]:
    return [rows(url, f"SELECT {', '.join(lines[0])} FROM {table} ORDER BY 1, 2") for table, lines in WRITTEN.items()]


def _value(value: Any) -> Any:
    return bytes.fromhex(value["hex"]) if isinstance(value, dict) else value
