"""A cache of an account's earlier rows, for look-ups during its verification. Most look-ups are for recent rows.

The cache holds the last rows that were verified. Other rows are queried, and the last results are cached.
"""

from collections.abc import Iterator
from functools import lru_cache

from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.database.rows import TRANSACTION_COLUMNS
from sixpence.ledger.verify.raw_rows import Scan

SELECT_TRANSACTIONS = f"SELECT {', '.join(TRANSACTION_COLUMNS)} FROM credit_transactions"
CACHED_ROWS_MAX = 500
CACHED_QUERIES_MAX = 64

# IS NOT NULL is in the statement's text, because only then does the planner choose the index.
_SELECT_WITH_ROWS_ABOUT = f"""
    {SELECT_TRANSACTIONS} WHERE account_no = ? AND seq = ?
    UNION ALL {SELECT_TRANSACTIONS} WHERE account_no = ? AND about_seq = ? AND about_seq IS NOT NULL
"""
_SELECT_BETWEEN = f"{SELECT_TRANSACTIONS} WHERE account_no = ? AND seq > ? AND seq < ? ORDER BY seq"


class RowCache:
    """The rows of one account by `seq`, in the snapshot in which it is verified."""

    def __init__(self, scan: Scan, account_no: int) -> None:
        self._scan = scan
        self._account_no = account_no
        self._last: list[Transaction | None] = [None] * CACHED_ROWS_MAX
        self._seq = 0
        # A snapshot never changes, so results stay valid.
        self.read_with_all_rows_about = lru_cache(CACHED_QUERIES_MAX)(self._query)

    def add(self, row: Transaction) -> None:
        """Cache the next row, once it was verified."""
        self._seq = row.seq
        self._last[row.seq % CACHED_ROWS_MAX] = row

    def read_with_rows_about(self, seq: int) -> PriorTransactions:
        """The transaction with that `seq` and those about it; includes at least all that were verified."""
        row = self._last[seq % CACHED_ROWS_MAX]
        if row is None or row.seq != seq:
            return self.read_with_all_rows_about(seq)
        later_rows = (self._last[later % CACHED_ROWS_MAX] for later in range(seq + 1, self._seq + 1))
        return PriorTransactions().with_rows(
            [row, *(one for one in later_rows if one is not None and one.about_seq == seq)]
        )

    def stream_between(self, above: int, below: int) -> Iterator[Transaction]:
        """Stream the rows between the two, oldest first."""
        for row in self._scan.stream(_SELECT_BETWEEN, (self._account_no, above, below)):
            yield Transaction(*row)

    def _query(self, seq: int) -> PriorTransactions:
        """The transaction with that `seq` and all those about it, also the ones that are not verified yet."""
        place = (self._account_no, seq)
        found = [Transaction(*row) for row in self._scan.rows(_SELECT_WITH_ROWS_ABOUT, (*place, *place))]
        return PriorTransactions().with_rows(sorted(found, key=lambda row: row.seq))
