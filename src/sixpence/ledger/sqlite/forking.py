"""Before a process forks, its ledgers come to rest; a SQLite file is let go of until the fork is over.

SQLite's locks belong to a process, and what it remembers of them is copied: a child that inherits an open file believes
that it holds locks which only its parent holds, and whoever opens the file next throws its log away, with what the
child has committed to it. SQLite's own advice is to have closed the file before the fork.
"""

import os
import threading
import weakref
from typing import Protocol


class Resting(Protocol):
    """What has to rest while its process forks."""

    def rest(self) -> None:
        """Finish what is under way, begin nothing more, and let go of files."""

    def go_on(self) -> None:
        """The fork is over: called in the parent and in the child."""


_opened: "weakref.WeakSet[Resting]" = weakref.WeakSet()
_at_rest: list[Resting] = []
# Held from before a fork until after it, so that two threads fork one after the other.
_forking = threading.Lock()


def rest_when_forking(ledger: Resting) -> None:
    """Let the ledger rest at every fork from now on, for as long as it lives."""
    _opened.add(ledger)


def _rest() -> None:
    _forking.acquire()
    for ledger in list(_opened):
        ledger.rest()
        _at_rest.append(ledger)


def _go_on() -> None:
    while _at_rest:
        _at_rest.pop().go_on()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_rest, after_in_parent=_go_on, after_in_child=_go_on)
