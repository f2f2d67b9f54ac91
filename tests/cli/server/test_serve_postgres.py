"""`sixpence serve` and `sixpence db upgrade` on PostgreSQL."""

import os
import signal
import socket
import time
from pathlib import Path

import httpx
import psycopg

from tests.support.ports import free_port
from tests.support.server import ServerProcess, environment_for, running_server


def installation_on(home: Path, url: str) -> ServerProcess:
    """An installation on this database, without a running server."""
    return ServerProcess(home, environment_for(home, url), workers=1)


def test_serve_refuses_old_schema(tmp_path: Path, postgres_url: str) -> None:
    """The message has the step and the command to run."""
    installation = installation_on(tmp_path, postgres_url)

    done = installation.run("serve", "--port", "0")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "The database's schema is at step none and this version needs 0004. Run: sixpence db upgrade.\n"
    )


def test_db_upgrade_prints_steps(tmp_path: Path, postgres_url: str) -> None:
    """Both steps are printed; a second upgrade changes nothing."""
    installation = installation_on(tmp_path, postgres_url)

    first = installation.run("db", "upgrade")
    again = installation.run("db", "upgrade")

    assert (first.returncode, first.stdout) == (0, f"{postgres_url} was upgraded from step none to step 0004.\n")
    assert (again.returncode, again.stdout) == (
        0,
        f"{postgres_url} is at step 0004, the newest. Nothing was changed.\n",
    )


def test_unreachable_database_is_reported_without_password(tmp_path: Path) -> None:
    """Every command names the database, and hides its password."""
    url = f"postgresql://app:hunter2hunter2@127.0.0.1:{free_port()}/credits"
    installation = installation_on(tmp_path, url)
    commands = (("serve", "--port", "0"), ("db", "upgrade"), ("key", "list"), ("verify",))

    for command in commands:
        done = installation.run(*command)

        named = url.replace("hunter2hunter2", "***")
        # Status 1 of verify would mean that the ledger differs.
        assert (done.returncode, done.stdout) == (2 if command == ("verify",) else 1, "")
        assert done.stderr.startswith(f"database: {named} cannot be reached (")
        assert "hunter2" not in done.stderr
        assert done.stderr.count("\n") == 1


def test_two_workers_share_ledger(tmp_path: Path, postgres_url: str) -> None:
    """Both answer, work on one ledger, and end with 0 after a stop."""
    with running_server(postgres_url, tmp_path, workers=2) as server:
        headers = {"Authorization": f"Bearer {server.create_key()}"}
        httpx.post(f"{server.url}/v1/accounts", json={"account_id": "user_1"}, headers=headers)
        answers = [
            httpx.post(f"{server.url}/v1/accounts/user_1/consume", json={"feature": "interior"}, headers=headers)
            for _ in range(8)
        ]
        with psycopg.connect(postgres_url) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sixpence-writer'"
            writers = connection.execute(query).fetchone()

        status = server.stop()

    assert [answer.status_code for answer in answers] == [200] * 6 + [402] * 2
    assert writers is not None
    assert writers[0] >= 2
    assert status == 0


def test_dead_worker_is_replaced(tmp_path: Path, postgres_url: str) -> None:
    """After a worker is killed the API still answers; the log has the death."""
    with running_server(postgres_url, tmp_path, workers=2) as server:
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        workers = [int(pid) for pid in children if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()]

        os.kill(workers[0], signal.SIGKILL)
        deadline = time.monotonic() + 20
        while "died" not in server.log and time.monotonic() < deadline:
            time.sleep(0.1)
        answer = httpx.get(f"{server.url}/readyz", timeout=30)

    assert f"Child process [{workers[0]}] died" in server.log
    assert answer.status_code == 200


def test_workers_end_when_parent_is_killed(tmp_path: Path, postgres_url: str) -> None:
    """After `kill -9` of the server its workers release the port."""
    with running_server(postgres_url, tmp_path, workers=2) as server:
        os.kill(server.pid, signal.SIGKILL)

        deadline = time.monotonic() + 20
        free = False
        while not free and time.monotonic() < deadline:
            with socket.socket() as probe:
                free = probe.connect_ex(("127.0.0.1", server.port)) != 0
            time.sleep(0.1)

    assert free
