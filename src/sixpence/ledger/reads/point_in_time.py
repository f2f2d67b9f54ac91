"""Reads of the past: the last row at an instant, the rows of a period, and the rows related to a transaction.

No index by time is needed. Within an account `created_at` never falls as `seq` grows (invariant 12), so a binary search
finds the row of an instant. It is one statement, which looks up about twenty keys for a million rows.
"""

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, null, select, text

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction, seq_of
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.rows import TRANSACTION_COLUMNS, transaction_from_row
from sixpence.ledger.database.tables import credit_transactions

# At most this many later rows about a transaction are read, the newest: a hold may have been extended for weeks.
RELATED_MAX = 1_000

# A binary search. Row `low` is at or before the instant and row `high` + 1 is after it, until the two are equal. If a
# row is missing they never are. The text is the same on both databases.
TRANSACTION_AT = f"""
    WITH RECURSIVE halving(low, high) AS (
        SELECT CAST(0 AS bigint), CAST(:top AS bigint)
        UNION ALL
        SELECT CASE WHEN t.created_at <= :instant THEN t.seq ELSE h.low END,
               CASE WHEN t.created_at <= :instant THEN h.high ELSE t.seq - 1 END
        FROM halving AS h JOIN credit_transactions AS t
        ON t.account_no = :number AND t.seq = (h.low + h.high + 1) / 2
        WHERE h.low < h.high
    )
    SELECT h.low, {", ".join(f"t.{name}" for name in TRANSACTION_COLUMNS)}
    FROM halving AS h LEFT JOIN credit_transactions AS t ON t.account_no = :number AND t.seq = h.low
    WHERE h.low = h.high
"""
_TRANSACTION_AT = text(TRANSACTION_AT).bindparams(
    *(bindparam(name, type_=BigInteger) for name in ("top", "instant", "number"))
)

# The condition is in the statement's text, because only then does the planner choose the partial index.
_IS_ABOUT = text("about_seq IS NOT NULL")

# Metadata may be large, and no caller here needs it.
_WITHOUT_METADATA = [
    cast(null(), Text).label(column.name) if column.name == "metadata" else column for column in credit_transactions.c
]


class RelatedTransactions(msgspec.Struct, frozen=True):
    """The rows that a transaction names and the later rows about it; `is_cut` if there are more of the latter."""

    past: PriorTransactions
    is_cut: bool


def find_transaction_at(connection: Connection, account: Account, instant: int) -> Transaction | None:
    """The account's last transaction at or before the instant; None if its first one is later.

    Raises `BrokenLedgerError` if a row is missing.
    """
    values = {"top": account.seq, "instant": instant, "number": account.account_no}
    found = connection.execute(_TRANSACTION_AT, values).first()
    if found is None:
        raise _gap_error(account)
    seq, *row = found
    return None if seq == 0 else transaction_from_row(row)


def list_transactions_between(connection: Connection, account: Account, *, above: int, up_to: int) -> list[Transaction]:
    """The account's transactions above one `seq` and up to another, oldest first, without metadata.

    Raises `BrokenLedgerError` if one of them is missing.
    """
    columns = credit_transactions.c
    query = (
        select(*_WITHOUT_METADATA)
        .where(columns.account_no == account.account_no, columns.seq > above, columns.seq <= up_to)
        .order_by(columns.seq)
    )
    found = [transaction_from_row(row) for row in connection.execute(query)]
    if len(found) != up_to - above:
        raise _gap_error(account)
    return found


def read_related_transactions(connection: Connection, account: Account, row: Transaction) -> RelatedTransactions:
    """The rows that a transaction is about, the rows of the grants that it moves, and the later rows about it."""
    columns = credit_transactions.c
    of_account = select(*_WITHOUT_METADATA).where(columns.account_no == account.account_no)
    named = {row.about_seq, *(seq_of(move.grant_id) for move in row.read_allocations())} - {None, row.seq}
    later = (
        of_account.where(columns.about_seq == row.seq, columns.seq <= account.seq, _IS_ABOUT)
        .order_by(columns.seq.desc())
        .limit(RELATED_MAX + 1)
    )
    before = [transaction_from_row(one) for one in connection.execute(of_account.where(columns.seq.in_(sorted(named))))]
    after = [transaction_from_row(one) for one in connection.execute(later)]
    known = sorted([*before, row, *after[:RELATED_MAX]], key=lambda one: one.seq)
    return RelatedTransactions(PriorTransactions().with_rows(known), is_cut=len(after) > RELATED_MAX)


def _gap_error(account: Account) -> BrokenLedgerError:
    return BrokenLedgerError(f"the ledger of '{account.account_id}' has a gap")
