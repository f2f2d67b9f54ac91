"""SQLite files that no command can use: one sentence names the file, the problem and the remedy."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.server import ServerProcess

COMMANDS = [("serve", "--port", "0"), ("account", "show", "user_1"), ("verify",)]


def expected_status(command: tuple[str, ...]) -> int:
    """The exit status of a command that cannot run; status 1 of `verify` would mean that the ledger differs."""
    return 2 if command == ("verify",) else 1


def write_junk(path: Path) -> None:
    """Replace the file by other content."""
    path.write_text("Dear Ada, " * 500)


def truncate(path: Path) -> None:
    """Cut the file in half."""
    os.truncate(path, path.stat().st_size // 2)


def overwrite_first_page(path: Path) -> None:
    """Overwrite the first page after the header."""
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"x" * 3000)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize("damage", [write_junk, truncate, overwrite_first_page])
def test_damaged_file_is_reported(
    idle: ServerProcess, damage: Callable[[Path], None], command: tuple[str, ...]
) -> None:
    """Junk, half a file and a file with a broken page: the message has the file's name and the remedy, a copy."""
    idle.run("key", "create")
    path = idle.home / "credits.db"
    damage(path)

    done = idle.run(*command)

    assert (done.returncode, done.stdout) == (expected_status(command), "")
    assert done.stderr.startswith(f"The SQLite file '{path}' is damaged or not a SQLite file (")
    assert done.stderr.endswith("). Restore a copy of it, or name another file.\n")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
@pytest.mark.parametrize(
    ("change", "message"),
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
def test_wrong_schema_is_reported(idle: ServerProcess, change: str, message: str, command: tuple[str, ...]) -> None:
    """Every command prints the same message."""
    idle.run("key", "create")
    with sqlite3.connect(idle.home / "credits.db") as connection:
        connection.execute(change)
    connection.close()

    done = idle.run(*command)

    assert (done.returncode, done.stdout, done.stderr) == (expected_status(command), "", message)


@pytest.mark.parametrize("command", [*COMMANDS, ("db", "upgrade")], ids=lambda command: command[0])
def test_hard_linked_file_is_refused(idle: ServerProcess, command: tuple[str, ...]) -> None:
    """A second name is refused: the write-ahead log is beside the first name only."""
    idle.run("key", "create")
    other = idle.home / "other.db"
    os.link(idle.home / "credits.db", other)

    done = idle.run(*command, "--database", f"sqlite:///{other}")

    assert (done.returncode, done.stdout) == (expected_status(command), "")
    assert done.stderr.startswith(f"The SQLite file '{other}' has 2 names (hard links), ")


@pytest.mark.parametrize("command", [*COMMANDS, ("db", "upgrade")], ids=lambda command: command[0])
def test_foreign_file_is_refused(idle: ServerProcess, command: tuple[str, ...]) -> None:
    """A file of another program is named, and not changed."""
    path = idle.home / "letters.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE letters (body TEXT)")
    theirs.close()
    before = path.read_bytes()

    done = idle.run(*command, "--database", f"sqlite:///{path}")

    assert (done.returncode, done.stdout) == (expected_status(command), "")
    assert done.stderr.startswith(f"The SQLite file '{path}' holds somebody else's tables (letters). ")
    assert path.read_bytes() == before
