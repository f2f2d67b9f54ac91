"""Opens SQLite files: creates private ones, refuses unsuitable ones, and sets WAL and durability.

Not here: a batch's reads and writes (`store`).
"""

import os
import sqlite3
import stat
import threading
import time
from contextlib import ExitStack, suppress

from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.database import migrate

BUSY_TIMEOUT_SECONDS = 5.0

_creating = threading.Lock()


def connect(path: str) -> sqlite3.Connection:
    """A connection for writing, durable at every commit, without Python's implicit transactions.

    Raises `DatabaseSetupError` for a file with foreign tables or a second hard link, without changing the file.
    """
    with ExitStack() as undone:
        try:
            _create_private_file(path)
            refuse_hard_links(path)
            connection = sqlite3.connect(
                path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
            undone.callback(connection.close)
            # Before the first pragma, since it changes the file.
            migrate.refuse_foreign_tables(path, migrate.sqlite_tables(connection))
            _enable_wal(connection)
        except sqlite3.DatabaseError as error:
            raise explain_damage(path, error) or _cannot_open(path, str(error)) from error
        except OSError as error:
            raise _cannot_open(path, str(error.strerror)) from error
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        undone.pop_all()
    return connection


def refuse_hard_links(path: str) -> None:
    """Raise `DatabaseSetupError` for a file with a second hard link.

    SQLite finds the write-ahead log by the file's name, so a commit made by one name is lost for the other.
    """
    found = os.stat(path)
    names = found.st_nlink
    if stat.S_ISREG(found.st_mode) and names > 1:
        problem = (
            f"The SQLite file '{path}' has {names} names (hard links), and charges made by one are lost by another."
        )
        raise DatabaseSetupError(problem, "Remove the others, or copy the file to a new name and use that.")


def explain_damage(path: str, error: BaseException | None) -> DatabaseSetupError | None:
    """The error to raise for a damaged file; None when SQLite reports another problem."""
    # The lowest byte is the error, the others are its details.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return None
    problem = f"The SQLite file '{path}' is damaged or not a SQLite file ({error})."
    return DatabaseSetupError(problem, "Restore a copy of it, or name another file.")


def _enable_wal(connection: sqlite3.Connection) -> None:
    """Turn the write-ahead log on. SQLite does not wait while another process does that, so this retries."""
    until = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _create_private_file(path: str) -> None:
    """Create a missing file that only its owner can read: it will hold e-mails and hashes of passwords."""
    # Closing a file releases this process's locks on it, so a file that exists is not opened here.
    with _creating, suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _cannot_open(path: str, why: str) -> DatabaseSetupError:
    remedy = "Name a file in a folder that exists and can be written, or a SQLite file of Sixpence's."
    return DatabaseSetupError(f"The SQLite file '{path}' cannot be opened: {why}.", remedy)
