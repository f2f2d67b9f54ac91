"""One bite of the outbox: read, added up and deleted, inside one transaction. When it is done stands in `relay`."""

import time

from sqlalchemy import Connection

from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import outbox, usage
from sixpence.ledger.relay.batch_size import Bite, Bites
from sixpence.ledger.relay.ranges import Touched


class Work:
    """A bite as it runs on the thread of the database; `run` is done in a transaction, and once."""

    def __init__(self, ledger: Ledger, bites: Bites) -> None:
        self._ledger = ledger
        self._bites = bites
        self._touched = Touched()
        self._read: list[int] = []
        self._full = False
        self._waited = False
        self._begun = time.monotonic()

    def run(self, connection: Connection) -> None:
        """Read the outbox as far as a bite goes, add what the ledger says, and delete what was read."""
        self._begun = time.monotonic()
        self._waited = self._ledger.waiting > 0
        if outbox.may_relay(connection):
            self._gather(connection)
        if self._read:
            numbers = outbox.account_numbers(connection, self._touched.account_ids)
            usage.add_usage(connection, self._touched.spans(numbers))
            outbox.forget_outbox(connection, self._read)
        self._waited = self._waited or self._ledger.waiting > 0

    def done(self) -> Bite:
        """What was done, now that it is committed: commands on SQLite wait for that, too."""
        return Bite(
            outbox_rows=len(self._read),
            ledger_rows=self._touched.rows,
            full=self._full,
            waited=self._waited,
            seconds=time.monotonic() - self._begun,
        )

    def _gather(self, connection: Connection) -> None:
        for row in outbox.read_outbox(connection):
            self._read.append(row.id)
            for account_id, first, last in row.touched:
                self._touched.add(account_id, first, last)
            if len(self._read) >= self._bites.outbox_rows_max or self._touched.rows >= self._bites.ledger_rows_max:
                self._full = True
                return
