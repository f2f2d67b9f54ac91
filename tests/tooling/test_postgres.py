"""The PostgreSQL of the tests: real, durable, and it recovers after a kill."""

import os
import time
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.support.postgres import PostgresDatabases, PostgresServer


def test_a_test_gets_an_empty_durable_database(postgres_url: str) -> None:
    """A database is empty, compares text by bytes, and its commits are on disk when they are answered."""
    question = """
        SELECT current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),
               current_setting('server_encoding'), datcollate,
               (SELECT count(*) FROM pg_tables WHERE schemaname = 'public')
        FROM pg_database WHERE datname = current_database()
    """

    with psycopg.connect(postgres_url) as connection:
        answer = connection.execute(question).fetchone()

    assert answer == ("on", "on", "on", "UTF8", "C", 0)


def test_databases_are_made_and_removed(postgres_server: PostgresDatabases) -> None:
    """Each database is another one, and a removed one is gone, though somebody was connected to it."""
    first, second = postgres_server.create_database(), postgres_server.create_database()

    with psycopg.connect(first):
        postgres_server.drop_database(first)
        postgres_server.drop_database(second)

    assert first != second
    with psycopg.connect(postgres_server.url) as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
    assert names.isdisjoint(urlsplit(url).path.removeprefix("/") for url in (first, second))


def test_a_killed_server_keeps_what_it_acknowledged(own_postgres_server: PostgresServer) -> None:
    """After SIGKILL no process of the server is left, and started again on the same address it has every row."""
    url = own_postgres_server.create_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE coins AS SELECT generate_series(1, 6) AS number")
        backend = connection.info.backend_pid
        postmaster = own_postgres_server.pid

        own_postgres_server.kill()

        assert (is_gone(postmaster), is_gone(backend)) == (True, True)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")

    own_postgres_server.start()

    assert own_postgres_server.pid != postmaster
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT sum(number) FROM coins").fetchone() == (21,)


def test_a_stopped_server_has_no_process_id_and_starts_again(own_postgres_server: PostgresServer) -> None:
    """Stopping ends the server and says so; a restart brings the same data to the same address."""
    url = own_postgres_server.create_database()
    own_postgres_server.stop()

    with pytest.raises(RuntimeError, match="not running"):
        _ = own_postgres_server.pid
    own_postgres_server.restart()

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_takes_settings_and_leaves_nothing_behind() -> None:
    """A setting reaches the server; at the end its process and its folder are gone."""
    with PostgresServer({"max_connections": "17"}) as server, psycopg.connect(server.url) as connection:
        setting = connection.execute("SHOW max_connections").fetchone()
        pid, folder = server.pid, server.bin.parents[1]
        pgbench = (server.bin / "pgbench").is_file()

    assert (setting, pgbench) == (("17",), True)
    assert (is_gone(pid), folder.exists()) == (True, False)


def is_gone(pid: int) -> bool:
    """Says whether a process ends within a few seconds; one that nobody has reaped yet has ended too."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False
