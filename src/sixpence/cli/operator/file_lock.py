"""The lock on a SQLite file, which a server keeps while it runs, and the file by which commands find that server.

Two files are beside the database. `FILE.lock` has the id of the process with the lock, and is never removed.
`FILE.server` (mode 0600) has the server's address and the local operator's token; the server removes it when it ends.
One that a killed server left is harmless.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.ledger.database.engines import SQLiteFile

RETRY_SECONDS = 0.05


class FileLockedError(Exception):
    """Another process has the lock; `pid` is None in the instant before that process has written its id."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


class RunningServer(msgspec.Struct, frozen=True):
    """The address and the token by which a command reaches the server on a file."""

    pid: int
    address: str
    token: str


def lock_path(place: SQLiteFile) -> Path:
    """The path of the lock; every name (link) of the database's file has the same."""
    return _beside(place, ".lock")


def server_path(place: SQLiteFile) -> Path:
    """The path of the file that describes the running server."""
    return _beside(place, ".server")


@contextmanager
def lock_file(place: SQLiteFile, *, wait_seconds: float) -> Iterator[None]:
    """Lock the file; raises `FileLockedError` when another process still has the lock after `wait_seconds`."""
    descriptor = _open_locked(lock_path(place), time.monotonic() + wait_seconds)
    try:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        # The address that a killed server left may belong to another program by now.
        server_path(place).unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def announce_server(place: SQLiteFile, server: RunningServer) -> Iterator[None]:
    """Keep the server's file while it runs; only the owner can read it, and it is complete whenever it exists."""
    path = server_path(place)
    descriptor, draft = tempfile.mkstemp(prefix=f"{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.encode(server))
    Path(draft).replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def find_server(place: SQLiteFile, *, pid: int | None) -> RunningServer | None:
    """The server that process `pid` runs; None while it has not announced its address, or no longer does."""
    try:
        server = msgspec.json.decode(server_path(place).read_bytes(), type=RunningServer)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return server if server.pid == pid else None


def _open_locked(path: Path, deadline: float) -> int:
    """The lock's open file. It must be the one at `path`: a lock on a deleted file excludes nobody."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            problem = f"database: {path} cannot be written ({error.strerror})."
            raise CommandRefusedError(f"{problem} Name a file in a folder that exists and can be written.") from error
        try:
            _wait_for_lock(descriptor, deadline)
            if _is_at(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _wait_for_lock(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                text = os.pread(descriptor, 32, 0)
                raise FileLockedError(int(text) if text.isdigit() else None) from None
            time.sleep(RETRY_SECONDS)


def _beside(place: SQLiteFile, suffix: str) -> Path:
    path = Path(place.path).resolve()
    return path.with_name(path.name + suffix)
