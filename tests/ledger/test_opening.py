"""Opening a ledger: nothing before the first use, and unusable files and servers are refused with a remedy."""

import asyncio
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError, InvalidInputError
from sixpence.ledger.database import migrate
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.sqlite.store import SQLiteStore
from sixpence.service.blocking import SyncCreditService
from sixpence.service.credits import CreditService
from tests.ledger.databases import count_uses, rows, run, upgrade, verify_clean
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.slow

ADA = "ada@example.com"


@pytest.mark.parametrize(
    "url",
    ["credits.db", "sqlite://", "sqlite:///:memory:", "mysql://root@127.0.0.1/credits", "", "postgresql"],
)
def test_unsupported_url_is_refused(url: str) -> None:
    """Only a SQLite file and PostgreSQL are accepted, and the message shows an example."""
    with pytest.raises(InvalidInputError) as refused:
        Ledger(url)

    assert (refused.value.field, "sqlite:///credits.db" in str(refused.value)) == ("database", True)


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    """Creating and closing a service touches no file and no server."""
    with SyncCreditService(f"sqlite:///{tmp_path}/credits.db"):
        pass
    with SyncCreditService("postgresql://nobody@127.0.0.1:1/nothing"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """A file in a missing folder is refused with the path and the remedy."""
    path = tmp_path / "missing" / "credits.db"

    with SyncCreditService(f"sqlite:///{path}") as service, pytest.raises(DatabaseSetupError) as refused:
        service.get_user_credits(ADA)

    assert (str(path) in str(refused.value), "folder that exists" in refused.value.remedy) == (True, True)


def test_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    """Another file is refused, and no byte of it changes."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 200)

    with SyncCreditService(f"sqlite:///{path}") as service, pytest.raises(DatabaseSetupError) as refused:
        service.initialize_user_credits(ADA)

    assert "not a database" in str(refused.value)
    assert path.read_text() == "Dear Ada, " * 200


def test_read_only_file_is_refused(tmp_path: Path) -> None:
    """A read-only file in a read-only folder is refused by its path, as a set-up error."""
    path = tmp_path / "credits.db"
    with SyncCreditService(f"sqlite:///{path}") as service:
        service.initialize_user_credits(ADA)
    program = """
import os, sys
from sixpence import DatabaseSetupError, SyncCreditService

os.chdir("/")
if os.geteuid() == 0:  # root may write read-only files
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with SyncCreditService(sys.argv[1]) as service:
    try:
        service.consume_credit("ada@example.com", "video")
    except DatabaseSetupError as error:
        print(error)
"""
    # Other users cannot enter pytest's folders.
    folder = Path("/tmp") / f"sixpence-read-only-{os.getpid()}"
    folder.mkdir()
    try:
        shutil.copy(path, folder / "credits.db")
        (folder / "credits.db").chmod(0o444)
        folder.chmod(0o555)
        ended = subprocess.run(
            [sys.executable, "-c", program, f"sqlite:///{folder}/credits.db"], capture_output=True, text=True
        )
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert f"{folder}/credits.db' cannot be opened: attempt to write a readonly database" in ended.stdout


def test_newer_schema_is_refused(url: str) -> None:
    """A database of a later version is refused, and does not change."""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)
    run(url, "UPDATE sixpence_schema SET version_num = '9999'")

    try:
        with SyncCreditService(url) as service, pytest.raises(DatabaseSetupError) as refused:
            service.consume_credit(ADA, "video")
    finally:
        run(url, "UPDATE sixpence_schema SET version_num = :newest", {"newest": migrate.steps()[-1]})

    assert ("9999" in refused.value.problem, refused.value.remedy) == (True, "Install the newer version again.")
    assert count_uses(url, ADA) == 0


def test_server_without_the_schema_is_refused(postgres_url: str) -> None:
    """A PostgreSQL database is never changed automatically: the error names the command, and no table was created."""
    with SyncCreditService(postgres_url) as service, pytest.raises(DatabaseSetupError) as refused:
        service.initialize_user_credits(ADA)

    assert refused.value.remedy == "Run: sixpence db upgrade."
    assert rows(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_server_without_fsync_is_refused() -> None:
    """With `fsync` off nothing is written, unless unsafe durability is allowed."""
    with PostgresServer({"fsync": "off"}) as server:
        url = server.create_database()
        upgrade(url)
        with SyncCreditService(url) as service, pytest.raises(DatabaseSetupError) as refused:
            service.initialize_user_credits(ADA)
        accounts = rows(url, "SELECT count(*) FROM credit_accounts")
        with SyncCreditService(Ledger(url, unsafe_durability=True)) as service:
            made = service.initialize_user_credits(ADA).created

    assert refused.value.problem == "PostgreSQL runs with fsync off: it acknowledges what a crash can lose."
    assert "SIXPENCE_UNSAFE_DURABILITY" in refused.value.remedy
    assert (accounts, made) == ([(0,)], True)


def test_server_without_synchronous_commit_is_refused(migrated_postgres_url: str) -> None:
    """With `synchronous_commit` off nothing is written, unless unsafe durability is allowed."""
    url = f"{migrated_postgres_url}?options=-csynchronous_commit%3Doff"

    with SyncCreditService(url) as service, pytest.raises(DatabaseSetupError) as refused:
        service.initialize_user_credits(ADA)
    accounts = rows(url, "SELECT count(*) FROM credit_accounts")
    with SyncCreditService(Ledger(url, unsafe_durability=True)) as service:
        made = service.initialize_user_credits(ADA).created

    assert "synchronous_commit off" in refused.value.problem
    assert (accounts, made) == ([(0,)], True)


def test_failed_openings_leave_no_connection(postgres_url: str) -> None:
    """Repeated calls of a service on a server that it refuses hold no connection."""
    with SyncCreditService(postgres_url) as service:
        for _ in range(10):
            with pytest.raises(DatabaseSetupError):
                service.get_user_credits(ADA)
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

        assert rows(postgres_url, query) == [(0,)]


def test_url_options_apply_to_every_connection(migrated_postgres_url: str) -> None:
    """The URL's options, such as a search path, apply to the writer, too."""
    with psycopg.connect(migrated_postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS elsewhere")
        url = f"{migrated_postgres_url}?options=-csearch_path%3Delsewhere"
        try:
            with SyncCreditService(url) as service, pytest.raises(DatabaseSetupError) as refused:
                service.initialize_user_credits(ADA)
            ours = ("credit_accounts", "credit_transactions", "outbox", "catalog_versions", "auth_api_keys")
            for table in (*ours, "sixpence_schema"):
                connection.execute(
                    sql.SQL("CREATE TABLE elsewhere.{0} (LIKE public.{0} INCLUDING ALL)").format(sql.Identifier(table))
                )
            connection.execute("INSERT INTO elsewhere.sixpence_schema TABLE public.sixpence_schema")
            with SyncCreditService(url) as service:
                made = service.initialize_user_credits(ADA)
                seen = service.get_user_credits(ADA)
            public = connection.execute("SELECT count(*) FROM public.credit_accounts").fetchall()
        finally:
            connection.execute("DROP SCHEMA elsewhere CASCADE")

    assert refused.value.remedy == "Run: sixpence db upgrade."
    assert (made.created, seen.remaining, public) == (True, 6, [(0,)])


async def test_silent_server_does_not_block_the_event_loop() -> None:
    """While a first use waits for a server that never answers, the event loop continues."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        service = CreditService(url)
        call = asyncio.create_task(service.get_user_credits(ADA))
        longest = await _longest_pause(call)
        with pytest.raises(DatabaseUnavailableError):
            await call
        await service.close()

    assert longest < 0.9


async def test_relative_path_is_resolved_at_construction(tmp_path: Path) -> None:
    """A process that changes its working directory before or after the first use keeps its file."""
    before = Path.cwd()
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    try:
        os.chdir(tmp_path / "one")
        service = CreditService("sqlite:///credits.db")
        os.chdir(tmp_path / "two")
        await service.initialize_user_credits(ADA)
        await service.get_user_credits(ADA)
        await service.close()
    finally:
        os.chdir(before)

    assert [path.name for path in (tmp_path / "two").iterdir()] == []
    assert count_uses(f"sqlite:///{tmp_path}/one/credits.db", ADA) == 0


def test_processes_create_one_new_file_at_once(sqlite_url: str) -> None:
    """Processes that open one new file at once all succeed, with one schema and one catalog."""
    start = multiprocessing.get_context("spawn")
    barrier = start.Barrier(3)
    processes = [start.Process(target=_open_at_once, args=(sqlite_url, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 3
    assert rows(sqlite_url, "SELECT count(*) FROM catalog_versions") == [(1,)]
    assert (verify_clean(sqlite_url).accounts, count_uses(sqlite_url, ADA)) == (1, 3)


def test_file_is_durable_at_each_commit(sqlite_url: str) -> None:
    """The file is in WAL mode, and commits are synced to the disk."""
    with SyncCreditService(sqlite_url) as service:
        service.initialize_user_credits(ADA)
    store = SQLiteStore(sqlite_url.removeprefix("sqlite:///"))

    settings = [store.connection().execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    store.close()

    assert settings == ["wal", 2]


def _open_at_once(url: str, barrier: "threading.Barrier") -> None:
    service = SyncCreditService(url)
    barrier.wait(30)
    service.initialize_user_credits(ADA)
    service.consume_credit(ADA, "video")
    service.close()


async def _longest_pause(call: "asyncio.Future[Any]") -> float:
    longest, last = 0.0, time.monotonic()
    while not call.done():
        await asyncio.sleep(0.01)
        longest, last = max(longest, time.monotonic() - last), time.monotonic()
    return longest
