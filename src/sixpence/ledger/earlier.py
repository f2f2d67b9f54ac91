"""An account's earlier rows, looked up while it is being proved: few of them are ever needed again."""

from collections.abc import Iterator

from sixpence.core.past import Past
from sixpence.core.transaction import Transaction
from sixpence.ledger.rows import TRANSACTION_COLUMNS
from sixpence.ledger.scan import Scan

SELECT_TRANSACTIONS = f"SELECT {', '.join(TRANSACTION_COLUMNS)} FROM credit_transactions"

# Only with IS NOT NULL in the statement's own text does the planner see that the index holds the answer.
_ONE_AND_ABOUT_IT = f"""
    {SELECT_TRANSACTIONS} WHERE account_no = ? AND seq = ?
    UNION ALL {SELECT_TRANSACTIONS} WHERE account_no = ? AND about_seq = ? AND about_seq IS NOT NULL
"""
_BETWEEN = f"{SELECT_TRANSACTIONS} WHERE account_no = ? AND seq > ? AND seq < ? ORDER BY seq"


class Earlier:
    """The rows of one account by their place; those that are to come are there, too."""

    def __init__(self, scan: Scan, account_no: int) -> None:
        self._scan = scan
        self._account_no = account_no

    def past(self, seq: int) -> Past:
        """The transaction of that `seq` and those about it."""
        place = (self._account_no, seq)
        found = [Transaction(*row) for row in self._scan.rows(_ONE_AND_ABOUT_IT, (*place, *place))]
        return Past().with_rows(sorted(found, key=lambda row: row.seq))

    def between(self, above: int, below: int) -> Iterator[Transaction]:
        """The rows after the one and before the other, oldest first."""
        for row in self._scan.stream(_BETWEEN, (self._account_no, above, below)):
            yield Transaction(*row)
