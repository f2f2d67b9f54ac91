"""An account's earlier rows, looked up while it is being proved: mostly those of just before.

The last ones are remembered as they pass; for others the database is asked, and the last answers are remembered.
"""

from collections.abc import Iterator
from functools import lru_cache

from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.database.rows import TRANSACTION_COLUMNS
from sixpence.ledger.verify.raw_rows import Scan

SELECT_TRANSACTIONS = f"SELECT {', '.join(TRANSACTION_COLUMNS)} FROM credit_transactions"
ROWS_REMEMBERED = 500
ANSWERS_REMEMBERED = 64

# Only with IS NOT NULL in the statement's own text does the planner see that the index holds the answer.
_ONE_AND_ABOUT_IT = f"""
    {SELECT_TRANSACTIONS} WHERE account_no = ? AND seq = ?
    UNION ALL {SELECT_TRANSACTIONS} WHERE account_no = ? AND about_seq = ? AND about_seq IS NOT NULL
"""
_BETWEEN = f"{SELECT_TRANSACTIONS} WHERE account_no = ? AND seq > ? AND seq < ? ORDER BY seq"


class Earlier:
    """The rows of one account by their place, in the snapshot in which it is proved."""

    def __init__(self, scan: Scan, account_no: int) -> None:
        self._scan = scan
        self._account_no = account_no
        self._last: list[Transaction | None] = [None] * ROWS_REMEMBERED
        self._seq = 0
        # In a snapshot nothing changes.
        self.whole_past = lru_cache(ANSWERS_REMEMBERED)(self._read)

    def remember(self, row: Transaction) -> None:
        """The row was proved, as all before it were."""
        self._seq = row.seq
        self._last[row.seq % ROWS_REMEMBERED] = row

    def past(self, seq: int) -> PriorTransactions:
        """The transaction of that `seq` and those about it, as far as they were proved; later ones may be there."""
        row = self._last[seq % ROWS_REMEMBERED]
        if row is None or row.seq != seq:
            return self.whole_past(seq)
        since = (self._last[later % ROWS_REMEMBERED] for later in range(seq + 1, self._seq + 1))
        return PriorTransactions().with_rows([row, *(one for one in since if one is not None and one.about_seq == seq)])

    def between(self, above: int, below: int) -> Iterator[Transaction]:
        """The rows after the one and before the other, oldest first."""
        for row in self._scan.stream(_BETWEEN, (self._account_no, above, below)):
            yield Transaction(*row)

    def _read(self, seq: int) -> PriorTransactions:
        """The transaction of that `seq` and all that are about it, those that are still to be proved among them."""
        place = (self._account_no, seq)
        found = [Transaction(*row) for row in self._scan.rows(_ONE_AND_ABOUT_IT, (*place, *place))]
        return PriorTransactions().with_rows(sorted(found, key=lambda row: row.seq))
