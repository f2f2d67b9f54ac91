"""One server on one SQLite file: a second one is refused, a reload takes over, and commands find whoever holds it."""

import json
import subprocess
import time
from pathlib import Path

from tests.support.ports import free_port
from tests.support.server import SIXPENCE, ServerProcess, environment_for


def test_a_second_server_is_refused_after_five_seconds(server: ServerProcess) -> None:
    """It waits as long as a reload takes, then names the first one's process and the remedy."""
    began = time.monotonic()

    done = server.run("serve", "--port", str(free_port()))

    waited = time.monotonic() - began
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"database: process {server.pid} serves {server.home / 'credits.db'} already, and a SQLite file has one "
        f"server. Stop that one (kill {server.pid}), or name another file or a PostgreSQL with --database.\n"
    )
    assert 5 <= waited < 15


def test_another_name_of_the_file_is_the_same_file(server: ServerProcess) -> None:
    """A link to the file does not let a second server in."""
    link = server.home / "link.db"
    link.symlink_to(server.home / "credits.db")

    done = server.run("serve", "--port", str(free_port()), "--database", f"sqlite:///{link}")

    assert done.returncode == 1
    assert f"process {server.pid} serves" in done.stderr


def test_a_reload_takes_over(server: ServerProcess) -> None:
    """A server that starts while the first one is stopping waits for it and serves the same file."""
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
        time.sleep(1.5)  # it waits for the lock by now

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


def test_commands_work_after_a_kill(server: ServerProcess) -> None:
    """The note of a killed server is there, names nobody, and keeps nobody from the file."""
    before = server.run("key", "create", "--name", "before").stdout.strip()
    server.kill()
    left_behind = (server.home / "credits.db.server").exists()

    done = server.run("key", "create", "--name", "after")

    listed = server.run("key", "list").stdout
    assert left_behind
    assert done.returncode == 0
    assert (before[:13] in listed, done.stdout[:13] in listed) == (True, True)
    assert not (server.home / "credits.db.server").exists()


def test_a_server_starts_after_a_kill(server: ServerProcess) -> None:
    """A kill leaves nothing that has to be cleaned up first; the new note is the new server's."""
    killed = json.loads((server.home / "credits.db.server").read_text())
    server.kill()

    server.start()

    note = json.loads((server.home / "credits.db.server").read_text())
    assert (note["pid"], note["address"]) == (server.pid, server.url)
    assert note["token"] != killed["token"]


def test_a_server_for_everybody_is_asked_by_loopback(tmp_path: Path) -> None:
    """The token never leaves this machine, whichever addresses the server listens on."""
    server = ServerProcess(tmp_path, {**environment_for(tmp_path, None), "SIXPENCE_HOST": "0.0.0.0"}, workers=1)
    server.start()
    try:
        note = json.loads((tmp_path / "credits.db.server").read_text())

        done = server.run("key", "create")
    finally:
        server.kill()

    assert note["address"] == server.url
    assert done.returncode == 0


def test_a_proxy_in_the_environment_is_not_asked(server: ServerProcess) -> None:
    """Commands go to the server straight, even where everything else goes through a proxy."""
    server.environment |= {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}

    done = server.run("key", "create")

    assert done.returncode == 0


def test_a_forged_token_is_nobody(server: ServerProcess) -> None:
    """Whoever does not have the note's token is refused, and nothing is made."""
    note = json.loads((server.home / "credits.db.server").read_text())
    (server.home / "credits.db.server").write_text(json.dumps({**note, "token": "guessed"}))

    done = server.run("key", "create")

    (server.home / "credits.db.server").write_text(json.dumps(note))
    assert (done.returncode, done.stdout) == (1, "")
    assert server.run("key", "list").stdout == "There are no keys. Make one: sixpence key create.\n"
