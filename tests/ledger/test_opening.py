"""Opening a ledger: nothing before the first use, and files and servers that cannot be used are refused in words."""

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
from tests.ledger.databases import consumed, proved, rows, run, upgrade
from tests.support.postgres import PostgresServer

ADA = "ada@example.com"


@pytest.mark.parametrize(
    "url",
    ["credits.db", "sqlite://", "sqlite:///:memory:", "mysql://root@127.0.0.1/credits", "", "postgresql"],
)
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    """Only a SQLite file and PostgreSQL will do, and the message says what to send."""
    with pytest.raises(InvalidInputError) as refused:
        Ledger(url)

    assert (refused.value.field, "sqlite:///credits.db" in str(refused.value)) == ("database", True)


def test_nothing_is_opened_before_the_first_use(tmp_path: Path) -> None:
    """Making and closing a service touches no file and no server."""
    with SyncCreditService(f"sqlite:///{tmp_path}/credits.db"):
        pass
    with SyncCreditService("postgresql://nobody@127.0.0.1:1/nothing"):
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """A file in a folder that is not there is refused with the path and what to do."""
    path = tmp_path / "missing" / "credits.db"

    with SyncCreditService(f"sqlite:///{path}") as service, pytest.raises(DatabaseSetupError) as refused:
        service.get_user_credits(ADA)

    assert (str(path) in str(refused.value), "folder that exists" in refused.value.remedy) == (True, True)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    """Some other file is refused, and not a byte of it changes."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Ada, " * 200)

    with SyncCreditService(f"sqlite:///{path}") as service, pytest.raises(DatabaseSetupError) as refused:
        service.initialize_user_credits(ADA)

    assert "not a database" in str(refused.value)
    assert path.read_text() == "Dear Ada, " * 200


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """A read-only file in a read-only folder is refused by its path, as a matter of set-up."""
    path = tmp_path / "credits.db"
    with SyncCreditService(f"sqlite:///{path}") as service:
        service.initialize_user_credits(ADA)
    program = """
import os, sys
from sixpence import DatabaseSetupError, SyncCreditService

os.chdir("/")
if os.geteuid() == 0:  # nobody may write what root may not
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with SyncCreditService(sys.argv[1]) as service:
    try:
        service.consume_credit("ada@example.com", "video")
    except DatabaseSetupError as error:
        print(error)
"""
    # pytest's own folders are closed to other users.
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


def test_a_newer_schema_is_refused(url: str) -> None:
    """A database of a later version is refused, and stays as it is."""
    with SyncCreditService(url) as service:
        service.initialize_user_credits(ADA)
    run(url, "UPDATE sixpence_schema SET version_num = '9999'")

    try:
        with SyncCreditService(url) as service, pytest.raises(DatabaseSetupError) as refused:
            service.consume_credit(ADA, "video")
    finally:
        run(url, "UPDATE sixpence_schema SET version_num = :newest", {"newest": migrate.steps()[-1]})

    assert ("9999" in refused.value.problem, refused.value.remedy) == (True, "Install the newer version again.")
    assert consumed(url, ADA) == 0


def test_a_server_without_the_schema_is_told_to_upgrade(postgres_url: str) -> None:
    """A PostgreSQL database is never changed by itself: the error names the command, and no table was made."""
    with SyncCreditService(postgres_url) as service, pytest.raises(DatabaseSetupError) as refused:
        service.initialize_user_credits(ADA)

    assert refused.value.remedy == "Run: sixpence db upgrade."
    assert rows(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_server_that_can_lose_its_commits_is_refused() -> None:
    """With `fsync` off nothing is written, unless that was asked for in words."""
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


def test_commits_that_do_not_wait_are_refused(migrated_postgres_url: str) -> None:
    """With `synchronous_commit` off nothing is written, unless that was asked for in words."""
    url = f"{migrated_postgres_url}?options=-csynchronous_commit%3Doff"

    with SyncCreditService(url) as service, pytest.raises(DatabaseSetupError) as refused:
        service.initialize_user_credits(ADA)
    accounts = rows(url, "SELECT count(*) FROM credit_accounts")
    with SyncCreditService(Ledger(url, unsafe_durability=True)) as service:
        made = service.initialize_user_credits(ADA).created

    assert "synchronous_commit off" in refused.value.problem
    assert (accounts, made) == ([(0,)], True)


def test_failed_openings_leave_no_connection_behind(postgres_url: str) -> None:
    """A service that is asked again and again on a server it refuses holds no connections to it."""
    with SyncCreditService(postgres_url) as service:
        for _ in range(10):
            with pytest.raises(DatabaseSetupError):
                service.get_user_credits(ADA)
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"

        assert rows(postgres_url, query) == [(0,)]


def test_settings_in_the_url_hold_for_every_connection(migrated_postgres_url: str) -> None:
    """Options of the URL, such as the schema to work in, are the writer's too."""
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


async def test_a_silent_server_does_not_stop_the_event_loop() -> None:
    """While a first use waits for a server that never answers, everything else on the loop goes on."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing"
        service = CreditService(url)
        call = asyncio.create_task(service.get_user_credits(ADA))
        longest = await _longest_pause(call)
        with pytest.raises(DatabaseUnavailableError):
            await call
        await service.close()

    assert longest < 0.9


async def test_a_relative_path_means_the_folder_it_was_named_in(tmp_path: Path) -> None:
    """A process that changes its folder before the first use, or later, keeps its file."""
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
    assert consumed(f"sqlite:///{tmp_path}/one/credits.db", ADA) == 0


def test_two_processes_make_one_new_file(sqlite_url: str) -> None:
    """Processes that open one new file at the same moment all succeed, with one schema and one catalog."""
    start = multiprocessing.get_context("spawn")
    barrier = start.Barrier(3)
    processes = [start.Process(target=_open_at_once, args=(sqlite_url, barrier)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert [process.exitcode for process in processes] == [0] * 3
    assert rows(sqlite_url, "SELECT count(*) FROM catalog_versions") == [(1,)]
    assert (proved(sqlite_url).accounts, consumed(sqlite_url, ADA)) == (1, 3)


def test_a_file_is_durable_at_each_commit(sqlite_url: str) -> None:
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
