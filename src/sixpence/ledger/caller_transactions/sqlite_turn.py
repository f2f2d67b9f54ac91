"""A turn of SQLite's writer for a caller: batches wait while it lasts, and so it is bounded in time.

The writer's own connection is lent, since a file has one writer at a time and a second connection would wait for it
without an order. Not here: what the borrower sees of the connection (`lent`).
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future

from sixpence.core.errors import CreditSystemError, DatabaseUnavailableError, QueueFullError
from sixpence.ledger.caller_transactions.sqlite_lent import LentConnection
from sixpence.ledger.sqlite.store import SQLiteStore

_log = logging.getLogger(__name__)

RunJob = Callable[[Callable[[], None]], "Future[None]"]
"""Lets a job run on the writer's thread between two batches."""


class Turn:
    """One turn: `run` is the writer's side, on its thread; the borrower waits for `granted`, works, and calls `end`."""

    def __init__(self, store: SQLiteStore, *, seconds_max: float) -> None:
        self.granted: Future[LentConnection] = Future()
        self.too_long = False
        self._store = store
        self._seconds_max = seconds_max
        self._ended = threading.Event()

    def run(self) -> None:
        """Begin a transaction, lend the connection, and have it back at the end of the turn or of its time."""
        if self._ended.is_set() or not self.granted.set_running_or_notify_cancel():
            return
        try:
            connection = self._store.connection()
            connection.execute("BEGIN IMMEDIATE")
        except (sqlite3.Error, CreditSystemError) as error:
            self._store.close()
            self.granted.set_exception(error if isinstance(error, CreditSystemError) else DatabaseUnavailableError())
            return
        lent = LentConnection(connection, owner=self._store)
        self.granted.set_result(lent)
        self.too_long = not self._ended.wait(self._seconds_max)
        try:
            if lent.take_back() and self.too_long:
                _log.warning("a transaction took longer than %g s and was undone", self._seconds_max)
            self._store.abandon()
        except sqlite3.Error:
            self._store.close()

    def end(self) -> None:
        """Give the turn back, whether it was granted or not."""
        self.granted.cancel()
        self._ended.set()

    def wait(self, seconds: float) -> LentConnection:
        """Wait for the turn; raises `QueueFullError` when it does not come in time."""
        try:
            return self.granted.result(seconds)
        except TimeoutError:
            raise QueueFullError from None


def begin_turn(run_job: RunJob, store: SQLiteStore, *, seconds_max: float) -> Turn:
    """Ask the writer for a turn, which comes between two batches; raises `ServiceClosedError` where none comes."""
    turn = Turn(store, seconds_max=seconds_max)
    asked = run_job(turn.run)
    if asked.done():
        asked.result()
    return turn
