"""`sixpence serve` on a SQLite file: the printed table and its commands, the end of the server, and refusals."""

import json
import os
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.support.ports import free_port
from tests.support.server import ServerProcess


def rows(log: str) -> dict[str, str]:
    """The rows of the table that the server printed, by name."""
    lines = [line for line in log.splitlines() if line.startswith("  ")]
    return {name: value for name, _, value in (line.strip().partition("  ") for line in lines)}


def test_serve_prints_addresses_and_data(server: ServerProcess) -> None:
    """The API's address, the data and the catalog, in plain text."""
    table = {name: value.strip() for name, value in rows(server.log).items()}

    database = server.home / "credits.db"
    assert (table["API"], table["data"], table["catalog"]) == (server.url, f"{database} (SQLite)", "version 1")
    assert "\x1b" not in server.log
    assert server.log.startswith("Sixpence ")


def test_printed_commands_work(server: ServerProcess) -> None:
    """Key, account and consume, copied into a shell that does not find the program by its name."""
    table = rows(server.log)
    lines = "\n".join([table["a key"].strip(), table["an account"].strip(), "echo", table["consume"].strip()])
    environment = {name: value for name, value in server.environment.items() if not name.startswith("SIXPENCE_")}
    folders = environment["PATH"].split(os.pathsep)
    elsewhere = os.pathsep.join(folder for folder in folders if not (Path(folder) / "sixpence").exists())

    done = subprocess.run(
        ["bash", "-ec", lines],
        cwd="/",
        env={**environment, "PATH": elsewhere},
        capture_output=True,
        text=True,
        timeout=60,
    )

    account, consumed = (json.loads(line) for line in done.stdout.splitlines())
    assert done.returncode == 0
    assert (account["account_id"], account["created"], account["remaining"]) == ("user_1", True, 6)
    assert (consumed["credits_consumed"], consumed["remaining"]) == (1, 5)


def test_sigterm_finishes_running_requests(server: ServerProcess) -> None:
    """A request that runs when SIGTERM comes is answered, and the server ends with 0."""
    key = server.create_key()
    body = b'{"account_id": "user_1"}'
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(
            f"POST /v1/accounts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
        )
        # By then the server has read the head and looked up the key.
        time.sleep(0.5)
        ended: list[int] = []
        stopping = threading.Thread(target=lambda: ended.append(server.stop()))
        stopping.start()
        time.sleep(0.5)

        connection.sendall(body)
        answer = connection.recv(65536)
        stopping.join(20)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert ended == [0]


def test_stop_removes_server_file(server: ServerProcess) -> None:
    """The address and the token are removed; the data stays."""
    status = server.stop()

    assert status == 0
    assert not (server.home / "credits.db.server").exists()
    assert (server.home / "credits.db").exists()


def test_files_beside_database_are_private(server: ServerProcess) -> None:
    """Only the server's user can read the server file, the lock and the secret."""
    names = ("credits.db.server", "credits.db.lock", "secret")

    modes = {name: stat.S_IMODE((server.home / name).stat().st_mode) for name in names}

    assert modes == dict.fromkeys(names, 0o600)


def test_log_has_no_secrets(server: ServerProcess) -> None:
    """Neither keys nor tokens nor passwords are printed, after successful and failed sign-ins."""
    key = server.create_key()
    password = "correct horse battery"
    server.run("user", "create", "--email", "ada@example.com", "--password", password)
    with httpx.Client(base_url=server.url, headers={"Origin": server.url}) as client:
        token = client.post("/api/auth/sign-in/email", json={"email": "ada@example.com", "password": password}).json()[
            "token"
        ]
        client.post("/api/auth/sign-in/email", json={"email": "ada@example.com", "password": f"{password}?"})
        client.get("/v1/accounts/nobody", headers={"Authorization": f"Bearer {key}"})
    announced = json.loads((server.home / "credits.db.server").read_text())

    server.stop()

    secrets = (key, password, token, announced["token"], (server.home / "secret").read_text())
    assert [secret for secret in secrets if secret in server.log] == []


def test_log_is_json_without_terminal(server: ServerProcess) -> None:
    """After the table each line is one JSON object."""
    server.run("user", "create", "--email", "ada@example.com", "--password", "correct horse")
    credentials = {"email": "ada@example.com", "password": "correct horse"}
    httpx.post(f"{server.url}/api/auth/sign-in/email", json=credentials, headers={"Origin": server.url})

    events = [json.loads(line) for line in server.log.split("Stop it with Ctrl-C.\n")[1].splitlines()]

    assert [(event["event"], event["level"]) for event in events] == [("signed_in", "info")]


def test_workers_are_refused_on_sqlite(idle: ServerProcess) -> None:
    """Several processes cannot share a SQLite file; no file is created."""
    done = idle.run("serve", "--workers", "2")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("workers: 2 processes cannot share a SQLite file")
    assert not (idle.home / "credits.db").exists()


def test_port_in_use_is_reported(idle: ServerProcess) -> None:
    """The message has the port and the remedy."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = taken.getsockname()[1]

        done = idle.run("serve", "--port", str(port))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"port: {port} on 127.0.0.1 is in use. Stop the program that listens there, or choose another with --port.\n"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_foreign_host_is_reported(idle: ServerProcess, host: str) -> None:
    """A server cannot listen on an address that this machine lacks."""
    done = idle.run("serve", "--host", host, "--port", "0")

    assert (done.returncode, done.stdout) == (1, "")
    assert host in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "content"), [("nowhere/credits.db", None), ("notes.db", "these are notes and no database, " * 100)]
)
def test_unusable_file_is_reported(idle: ServerProcess, name: str, content: str | None) -> None:
    """A missing folder and a file of another kind are refused, and the file is not changed."""
    path = idle.home / name
    if content is not None:
        path.write_text(content)

    done = idle.run("serve", "--port", "0", "--database", f"sqlite:///{path}")

    assert (done.returncode, done.stdout) == (1, "")
    assert str(path) in done.stderr
    assert content is None or path.read_text() == content
