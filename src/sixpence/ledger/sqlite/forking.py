"""Pauses ledgers while their process forks, with their SQLite files closed.

SQLite's locks belong to a process, but a fork copies SQLite's memory of them. A child that inherits an open file
believes that it holds its parent's locks. The next process to open the file then discards the write-ahead log, with the
child's commits. SQLite's documentation says to close the file before a fork.
"""

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A ledger, seen from a fork."""

    def pause_for_fork(self) -> None:
        """Finish running work, begin no other, and close files."""

    def resume_after_fork(self) -> None:
        """Continue after the fork; called in the parent and in the child."""


_ledgers: "weakref.WeakSet[Forkable]" = weakref.WeakSet()
_paused: list[Forkable] = []
# Held during a fork, so that two threads fork one after the other.
_forking = threading.Lock()


def pause_at_forks(ledger: Forkable) -> None:
    """Pause the ledger at every later fork, until it is garbage collected."""
    _ledgers.add(ledger)


def _pause() -> None:
    _forking.acquire()
    for ledger in list(_ledgers):
        ledger.pause_for_fork()
        _paused.append(ledger)


def _resume() -> None:
    while _paused:
        _paused.pop().resume_after_fork()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause, after_in_parent=_resume, after_in_child=_resume)
