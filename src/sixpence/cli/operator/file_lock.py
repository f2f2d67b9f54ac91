"""Who holds a SQLite file: the lock that a server keeps for its life, and the note by which commands find the server.

Beside the file lie `FILE.lock`, which says who holds it and stays, and `FILE.server` (mode 0600) with the server's
address and the local operator's token, which goes when the server ends. One left by a killed server does no harm.
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

LOOK_AGAIN_SECONDS = 0.05


class HeldError(Exception):
    """Another process holds the file; `pid` is None in the instant before it has written it down."""

    def __init__(self, pid: int | None) -> None:
        super().__init__(pid)
        self.pid = pid


class RunningServer(msgspec.Struct, frozen=True):
    """How a command reaches the server that holds a file."""

    pid: int
    address: str
    token: str


def lock_path(place: SQLiteFile) -> Path:
    """The lock's file; however the database's file is named, it is the same."""
    return _beside(place, ".lock")


def server_path(place: SQLiteFile) -> Path:
    """The file of the note about the server."""
    return _beside(place, ".server")


@contextmanager
def held(place: SQLiteFile, *, wait_seconds: float) -> Iterator[None]:
    """Hold the file; raises `HeldError` when another process still does after `wait_seconds`."""
    descriptor = _locked(lock_path(place), time.monotonic() + wait_seconds)
    try:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        # What a killed server left names an address at which somebody else may listen by now.
        server_path(place).unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def announced(place: SQLiteFile, server: RunningServer) -> Iterator[None]:
    """Leave the note while the server runs; only the file's owner can read it, and it is never there in part."""
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
    """The server that holds the file as process `pid`, None while it has not said (or no longer says) where it is."""
    try:
        server = msgspec.json.decode(server_path(place).read_bytes(), type=RunningServer)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return server if server.pid == pid else None


def _locked(path: Path, deadline: float) -> int:
    """The lock's open file, which is the one of that name: a lock on one that was deleted keeps nobody out."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            problem = f"database: {path} cannot be written ({error.strerror})."
            raise CommandRefusedError(f"{problem} Name a file in a folder that exists and can be written.") from error
        try:
            _wait_for(descriptor, deadline)
            if _is_named(descriptor, path):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _wait_for(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                text = os.pread(descriptor, 32, 0)
                raise HeldError(int(text) if text.isdigit() else None) from None
            time.sleep(LOOK_AGAIN_SECONDS)


def _beside(place: SQLiteFile, suffix: str) -> Path:
    path = Path(place.path).resolve()
    return path.with_name(path.name + suffix)
