"""Which SQLite files are accepted: new ones are private; foreign files and files with two names are refused."""

import os
import sqlite3
import stat
from pathlib import Path

import pytest

from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.sqlite.file import connect
from sixpence.service.blocking import SyncCreditService

ADA = "ada@example.com"


def use(path: Path) -> None:
    """Open an account in the file."""
    with SyncCreditService(f"sqlite:///{path}") as service:
        service.initialize_user_credits(ADA)


def modes(folder: Path) -> dict[str, int]:
    """The modes of the files by name."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_new_file_is_private(tmp_path: Path) -> None:
    """Only their owner can read the file and its log."""
    connection = connect(str(tmp_path / "credits.db"))
    connection.execute("CREATE TABLE sixpence_schema (version_num TEXT)")

    found = modes(tmp_path)
    connection.close()

    assert found == dict.fromkeys(("credits.db", "credits.db-wal", "credits.db-shm"), 0o600)


def test_existing_file_keeps_its_mode(tmp_path: Path) -> None:
    """A file that is shared with a group stays shared."""
    path = tmp_path / "credits.db"
    path.touch()
    path.chmod(0o640)

    use(path)

    assert modes(tmp_path) == {"credits.db": 0o640}


def test_new_file_behind_a_symbolic_link_is_private(tmp_path: Path) -> None:
    """A symbolic link to a missing file creates a private one, too."""
    (tmp_path / "link.db").symlink_to(tmp_path / "credits.db")

    use(tmp_path / "link.db")

    assert modes(tmp_path)["credits.db"] == 0o600


def test_file_with_two_hard_links_is_refused(tmp_path: Path) -> None:
    """It is refused by either name, and nothing is written; with one name it is accepted again."""
    path, other = tmp_path / "credits.db", tmp_path / "other.db"
    use(path)
    before = path.read_bytes()
    os.link(path, other)

    for name in (path, other):
        with pytest.raises(DatabaseSetupError) as refused:
            use(name)
        assert refused.value == DatabaseSetupError(
            f"The SQLite file '{name}' has 2 names (hard links), and charges made by one are lost by another.",
            "Remove the others, or copy the file to a new name and use that.",
        )

    assert path.read_bytes() == before
    other.unlink()
    use(path)


def test_file_with_foreign_tables_is_refused(tmp_path: Path) -> None:
    """A SQLite file with foreign tables only is refused by its path, and no byte of it changes."""
    path = tmp_path / "letters.db"
    with sqlite3.connect(path) as theirs:
        theirs.execute("CREATE TABLE letters (body TEXT)")
    theirs.close()
    before = path.read_bytes()

    with pytest.raises(DatabaseSetupError) as refused:
        use(path)

    assert refused.value == DatabaseSetupError(
        f"The SQLite file '{path}' holds somebody else's tables (letters).",
        "Name another file; a missing file is created.",
    )
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["letters.db"]
