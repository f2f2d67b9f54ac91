"""One server on one SQLite file: a second one is refused, a new one takes over, and commands find the running one."""

import json
import subprocess
import time
from pathlib import Path

from tests.support.ports import free_port
from tests.support.server import SIXPENCE, ServerProcess, environment_for


def test_second_server_is_refused_after_five_seconds(server: ServerProcess) -> None:
    """It waits as long as a reload takes, then names the first server's process and the remedy."""
    began = time.monotonic()

    done = server.run("serve", "--port", str(free_port()))

    waited = time.monotonic() - began
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"database: process {server.pid} already serves {server.home / 'credits.db'}, and a SQLite file has one "
        "server. An app's own workers may share the file through the library. "
        f"Stop that server (kill {server.pid}), or name another file or a PostgreSQL database with "
        "--database.\n"
    )
    assert 5 <= waited < 15


def test_symbolic_link_has_same_lock(server: ServerProcess) -> None:
    """A link to the file does not admit a second server."""
    link = server.home / "link.db"
    link.symlink_to(server.home / "credits.db")

    done = server.run("serve", "--port", str(free_port()), "--database", f"sqlite:///{link}")

    assert done.returncode == 1
    assert f"process {server.pid} already serves" in done.stderr


def test_new_server_takes_over_from_stopping_one(server: ServerProcess) -> None:
    """A server that starts while the first one stops waits for it, and serves the same file."""
    key = server.create_key()
    successor = ServerProcess(server.home, server.environment, workers=1)
    process = subprocess.Popen(
        [*SIXPENCE, "serve", "--port", str(successor.port)],
        cwd=server.home,
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        time.sleep(1.5)  # by now it waits for the lock

        server.stop()

        assert process.stdout is not None
        first_line = process.stdout.readline()
        listed = successor.run("key", "list")
    finally:
        process.terminate()
        process.communicate(timeout=20)

    assert first_line.startswith("Sixpence ")
    assert key[:13] in listed.stdout
    assert process.returncode == 0


def test_command_works_after_server_was_killed(server: ServerProcess) -> None:
    """The killed server's file is ignored and removed."""
    before = server.run("key", "create", "--name", "before").stdout.strip()
    server.kill()
    left_behind = (server.home / "credits.db.server").exists()

    done = server.run("key", "create", "--name", "after")

    listed = server.run("key", "list").stdout
    assert left_behind
    assert done.returncode == 0
    assert (before[:13] in listed, done.stdout[:13] in listed) == (True, True)
    assert not (server.home / "credits.db.server").exists()


def test_server_starts_after_server_was_killed(server: ServerProcess) -> None:
    """Nothing must be cleaned up first; the new server writes its own file."""
    killed = json.loads((server.home / "credits.db.server").read_text())
    server.kill()

    server.start()

    announced = json.loads((server.home / "credits.db.server").read_text())
    assert (announced["pid"], announced["address"]) == (server.pid, server.url)
    assert announced["token"] != killed["token"]


def test_command_uses_loopback_address(tmp_path: Path) -> None:
    """The token never leaves this machine, whatever addresses the server listens on."""
    server = ServerProcess(tmp_path, {**environment_for(tmp_path, None), "SIXPENCE_HOST": "0.0.0.0"}, workers=1)
    server.start()
    try:
        announced = json.loads((tmp_path / "credits.db.server").read_text())

        done = server.run("key", "create")
    finally:
        server.kill()

    assert announced["address"] == server.url
    assert done.returncode == 0


def test_command_ignores_proxy_of_environment(server: ServerProcess) -> None:
    """Commands connect to the server directly."""
    server.environment |= {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}

    done = server.run("key", "create")

    assert done.returncode == 0


def test_forged_token_is_refused(server: ServerProcess) -> None:
    """A command with a wrong token is refused, and no key is created."""
    announced = json.loads((server.home / "credits.db.server").read_text())
    (server.home / "credits.db.server").write_text(json.dumps({**announced, "token": "guessed"}))

    done = server.run("key", "create")

    (server.home / "credits.db.server").write_text(json.dumps(announced))
    assert (done.returncode, done.stdout) == (1, "")
    assert server.run("key", "list").stdout == "There are no keys. Create one: sixpence key create.\n"
