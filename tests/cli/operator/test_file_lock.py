"""The lock on a SQLite file, when the file of the lock is deleted or replaced while somebody waits for it."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from sixpence.cli.operator import file_lock
from sixpence.ledger.database.engines import SQLiteFile


def test_a_lock_on_a_deleted_file_is_none(tmp_path: Path) -> None:
    """Who waited for a file that was replaced meanwhile holds the one that has the name now."""
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

    with file_lock.held(place, wait_seconds=5):
        replaced.join()
        held_by = path.read_text()
        with pytest.raises(file_lock.HeldError) as refused, file_lock.held(place, wait_seconds=0):
            pass

    assert held_by == str(os.getpid())
    assert refused.value.pid == os.getpid()
