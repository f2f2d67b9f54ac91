"""One step of the relay: a batch of the outbox is read, added up and deleted in one transaction.

Not here: when a step runs (`relay`).
"""

import time

from sqlalchemy import Connection

from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import outbox, usage
from sixpence.ledger.relay.batch_size import BatchSize, StepResult
from sixpence.ledger.relay.ranges import SeqRanges


class RelayStep:
    """A step, run once: `run` inside a transaction on the database's thread, then `result` after its commit."""

    def __init__(self, ledger: Ledger, batch_size: BatchSize) -> None:
        self._ledger = ledger
        self._batch_size = batch_size
        self._ranges = SeqRanges()
        self._read_ids: list[int] = []
        self._full = False
        self._delayed_commands = False
        self._begun_at = time.monotonic()

    def run(self, connection: Connection) -> None:
        """Read a batch of the outbox, add the uses in the ranges that it names, and delete its rows."""
        self._begun_at = time.monotonic()
        self._delayed_commands = self._ledger.waiting > 0
        if outbox.try_lock_outbox(connection):
            self._read_batch(connection)
        if self._read_ids:
            numbers = outbox.find_account_numbers(connection, self._ranges.account_ids)
            usage.add_usage(connection, self._ranges.to_seq_ranges(numbers))
            outbox.delete_outbox_rows(connection, self._read_ids)
        self._delayed_commands = self._delayed_commands or self._ledger.waiting > 0

    def result(self) -> StepResult:
        """The result after the commit; its time includes the commit, because on SQLite commands wait for that, too."""
        return StepResult(
            outbox_rows=len(self._read_ids),
            ledger_rows=self._ranges.rows,
            full=self._full,
            delayed_commands=self._delayed_commands,
            seconds=time.monotonic() - self._begun_at,
        )

    def _read_batch(self, connection: Connection) -> None:
        size = self._batch_size
        for row in outbox.read_outbox(connection):
            self._read_ids.append(row.id)
            for account_id, first, last in row.touched:
                self._ranges.add(account_id, first, last)
            if len(self._read_ids) >= size.outbox_rows_max or self._ranges.rows >= size.ledger_rows_max:
                self._full = True
                return
