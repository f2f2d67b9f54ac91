"""`sixpence key`: through a server, without one, and on PostgreSQL."""

import re

from tests.support.server import ServerProcess


def test_key_create_prints_only_key_on_stdout(installation: ServerProcess) -> None:
    """K=$(sixpence key create) gets the key and nothing else."""
    made = installation.run("key", "create", "--name", "web")

    assert made.returncode == 0
    assert re.fullmatch(r"sixpence_[A-Za-z0-9]{40}\n", made.stdout)
    assert made.stderr.startswith("Key 'web' (")
    assert made.stdout.strip() not in made.stderr


def test_key_list_shows_first_characters(installation: ServerProcess) -> None:
    """The list shows the first characters of a key, never all."""
    text = installation.run("key", "create", "--name", "listed").stdout.strip()

    listed = installation.run("key", "list").stdout

    (line,) = [line for line in listed.splitlines() if " listed " in line]
    assert text[:13] in line
    assert "local operator" in line
    assert text not in listed


def test_key_revoke_by_id(installation: ServerProcess) -> None:
    """A revoked key stays in the list, with its time."""
    made = installation.run("key", "create", "--name", "leaked")
    key_id = made.stderr.split("(")[1].split(")")[0]

    done = installation.run("key", "revoke", key_id)

    (line,) = [line for line in installation.run("key", "list").stdout.splitlines() if " leaked " in line]
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Key 'leaked' ({key_id}) was revoked at ")
    assert line.endswith(done.stdout.split()[-1].rstrip("."))


def test_key_revoke_refuses_unknown_id(installation: ServerProcess) -> None:
    """The message names the id."""
    done = installation.run("key", "revoke", "nothing")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "There is no API key 'nothing'. Take the id from the list of keys.\n"
