"""A loan of the SQLite writer's connection to a caller, with a time limit: batches wait until it ends.

The writer lends its own connection, since a file has one writer at a time, and a second connection would wait for it
without a fair order. Not here: the connection that the borrower uses (`sqlite_borrowed`).
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future

from sixpence.core.errors import CreditSystemError, DatabaseUnavailableError, QueueFullError
from sixpence.ledger.caller_transactions.sqlite_borrowed import BorrowedConnection
from sixpence.ledger.sqlite.store import SQLiteStore

_log = logging.getLogger(__name__)

RunJob = Callable[[Callable[[], None]], "Future[None]"]
"""Runs a job on the writer's thread between two batches."""


class ConnectionLoan:
    """One loan: the writer runs `run` on its thread; the borrower waits for `granted`, works, and calls `end`."""

    def __init__(self, store: SQLiteStore, *, seconds_max: float) -> None:
        self.granted: Future[BorrowedConnection] = Future()
        self.timed_out = False
        self._store = store
        self._seconds_max = seconds_max
        self._ended = threading.Event()

    def run(self) -> None:
        """Begin a transaction, lend the connection, and take it back at the loan's end or time limit."""
        if self._ended.is_set() or not self.granted.set_running_or_notify_cancel():
            return
        try:
            connection = self._store.connection()
            connection.execute("BEGIN IMMEDIATE")
        except (sqlite3.Error, CreditSystemError) as error:
            self._store.close()
            self.granted.set_exception(error if isinstance(error, CreditSystemError) else DatabaseUnavailableError())
            return
        borrowed = BorrowedConnection(connection, owner=self._store)
        self.granted.set_result(borrowed)
        self.timed_out = not self._ended.wait(self._seconds_max)
        try:
            if borrowed.take_back() and self.timed_out:
                _log.warning("a transaction took longer than %g s and was rolled back", self._seconds_max)
            self._store.roll_back()
        except sqlite3.Error:
            self._store.close()

    def end(self) -> None:
        """End the loan, granted or not."""
        self.granted.cancel()
        self._ended.set()

    def wait(self, seconds: float) -> BorrowedConnection:
        """Wait for the loan; raises `QueueFullError` when it is not granted in time."""
        try:
            return self.granted.result(seconds)
        except TimeoutError:
            raise QueueFullError from None


def request_loan(run_job: RunJob, store: SQLiteStore, *, seconds_max: float) -> ConnectionLoan:
    """Request a loan, which the writer grants between two batches; raises `ServiceClosedError` after its close."""
    loan = ConnectionLoan(store, seconds_max=seconds_max)
    job = run_job(loan.run)
    if job.done():
        job.result()
    return loan
