"""Files that no command can use: each says in one sentence what is wrong with the file, and the remedy."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import ServerProcess

COMMANDS = [("serve", "--port", "0"), ("account", "show", "user_1"), ("verify",)]


def status_of(command: tuple[str, ...]) -> int:
    """How a command ends that cannot do its work: of `verify` 1 would mean that the ledger differs."""
    return 2 if command == ("verify",) else 1


def junk(path: Path) -> None:
    """Makes the file something else."""
    path.write_text("Dear Ada, " * 500)


def truncated(path: Path) -> None:
    """Cuts the file off in the middle."""
    os.truncate(path, path.stat().st_size // 2)


def malformed(path: Path) -> None:
    """Overwrites the first page after the header."""
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"x" * 3000)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("harm", [junk, truncated, malformed])
def test_a_damaged_file_is_told(idle: ServerProcess, harm: Callable[[Path], None], command: tuple[str, ...]) -> None:
    """Junk, half a file and a file with a broken page: the file's name, and that a copy helps."""
    idle.run("key", "create")
    path = idle.home / "credits.db"
    harm(path)

    done = idle.run(*command)

    assert (done.returncode, done.stdout) == (status_of(command), "")
    assert done.stderr.startswith(f"The SQLite file '{path}' is damaged or not a SQLite file (")
    assert done.stderr.endswith("). Restore a copy of it, or name another file.\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE sixpence_schema SET version_num = '9999'",
            "The database's schema is at step 9999, which is newer than this version of Sixpence. "
            "Install the newer version again.\n",
        ),
        (
            "DROP TABLE auth_sign_ins",
            "The database says that its schema is at step 0004, and lacks auth_sign_ins. Restore a copy of it.\n",
        ),
    ],
    ids=["an unknown step", "a table is gone"],
)
def test_a_schema_that_does_not_fit_is_told(
    idle: ServerProcess, change: str, said: str, command: tuple[str, ...]
) -> None:
    """Every command says the same of it."""
    idle.run("key", "create")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute(change)
    connection.close()

    done = idle.run(*command)

    assert (done.returncode, done.stdout, done.stderr) == (status_of(command), "", said)


@pytest.mark.parametrize("command", [*COMMANDS, ("db", "upgrade")], ids=lambda command: command[0])
def test_a_file_of_two_names_is_told(idle: ServerProcess, command: tuple[str, ...]) -> None:
    """By its second name no command takes it: what was charged last is found by the first alone."""
    idle.run("key", "create")
    other = idle.home / "other.db"
    os.link(idle.home / "credits.db", other)

    done = idle.run(*command, "--database", f"sqlite:///{other}")

    assert (done.returncode, done.stdout) == (status_of(command), "")
    assert done.stderr.startswith(f"The SQLite file '{other}' has 2 names (hard links), ")


@pytest.mark.parametrize("command", [*COMMANDS, ("db", "upgrade")], ids=lambda command: command[0])
def test_somebody_elses_file_is_told(idle: ServerProcess, command: tuple[str, ...]) -> None:
    """A file of another program is named, and stays as it was."""
    path = idle.home / "letters.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE letters (body TEXT)")
    theirs.close()
    before = path.read_bytes()

    done = idle.run(*command, "--database", f"sqlite:///{path}")

    assert (done.returncode, done.stdout) == (status_of(command), "")
    assert done.stderr.startswith(f"The SQLite file '{path}' holds somebody else's tables (letters). ")
    assert path.read_bytes() == before
