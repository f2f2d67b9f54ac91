"""The lock on a SQLite file, when its lock file is deleted or replaced while a process waits for it."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from sixpence.cli.operator import file_lock
from sixpence.ledger.database.engines import SQLiteFile


def test_lock_on_deleted_file_does_not_count(tmp_path: Path) -> None:
    """A process that waited for a replaced lock file gets the lock on the new file."""
    place = SQLiteFile(str(tmp_path / "credits.db"))
    path = file_lock.lock_path(place)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    def replace() -> None:
        path.unlink()
        path.touch()
        os.close(descriptor)

    replaced = threading.Timer(0.3, replace)
    replaced.start()

    with file_lock.lock_file(place, wait_seconds=5):
        replaced.join()
        pid_in_file = path.read_text()
        with pytest.raises(file_lock.FileLockedError) as refused, file_lock.lock_file(place, wait_seconds=0):
            pass

    assert pid_in_file == str(os.getpid())
    assert refused.value.pid == os.getpid()
