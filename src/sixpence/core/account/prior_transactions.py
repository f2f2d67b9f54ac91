"""The earlier transactions that a command needs: those that it names, and the later ones about those.

The live state of an account forgets ended grants; a refund or a void may still be about one. Not here: which rows are
loaded (`ledger.writer.prefetch`).
"""

from collections.abc import Iterable, Mapping

import msgspec

from sixpence.core.account.transaction import Transaction, seq_of


class PriorTransactions(msgspec.Struct, frozen=True):
    """Transactions of one account by `seq`, and by the `seq` of the transaction that they are about."""

    rows: Mapping[int, Transaction] = {}
    since: Mapping[int, tuple[Transaction, ...]] = {}

    def find(self, transaction_id: str) -> Transaction | None:
        """Find the transaction of that id; None where the account has none."""
        seq = seq_of(transaction_id)
        row = None if seq is None else self.rows.get(seq)
        return row if row is not None and row.id == transaction_id else None

    def about(self, seq: int) -> tuple[Transaction, ...]:
        """Return the later transactions that are about this one, oldest first."""
        return self.since.get(seq, ())

    def before(self, seq: int) -> "PriorTransactions":
        """Return only the transactions before that one."""
        return PriorTransactions().with_rows(row for row in self.rows.values() if row.seq < seq)

    def with_rows(self, rows: Iterable[Transaction]) -> "PriorTransactions":
        """Return these and more transactions, given oldest first."""
        known, since = dict(self.rows), dict(self.since)
        for row in rows:
            known[row.seq] = row
            earlier = since.get(row.about_seq, ()) if row.about_seq is not None else ()
            if row.about_seq is not None and all(row.seq != one.seq for one in earlier):
                since[row.about_seq] = (*earlier, row)
        return PriorTransactions(known, since)
