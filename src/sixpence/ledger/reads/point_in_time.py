"""Reads of what was: the row in force at an instant, the rows of a period, and what came of a transaction since.

No index by time is needed: within an account `created_at` never falls as `seq` grows (invariant 12), so the row of an
instant is found by halving, in one statement that looks up some twenty keys for a million rows.
"""

import msgspec
from sqlalchemy import BigInteger, Connection, Text, bindparam, cast, null, select, text

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction, seq_of
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.rows import TRANSACTION_COLUMNS, transaction_from_row
from sixpence.ledger.database.tables import credit_transactions

# Of what came of a transaction so many rows are read, the newest: a hold may have been extended for weeks.
SINCE_MAX = 1_000

# Row `low` is at or before the instant and row `high` + 1 is not, until the two meet; where a row is missing they never
# do. The same text on both databases.
LAST_AT = f"""
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
_LAST_AT = text(LAST_AT).bindparams(*(bindparam(name, type_=BigInteger) for name in ("top", "instant", "number")))

# With this in the statement's own text the planner sees that the partial index holds the answer.
_IS_ABOUT = text("about_seq IS NOT NULL")

# A statement does not show metadata, which may be large.
_WITHOUT_METADATA = [
    cast(null(), Text).label(column.name) if column.name == "metadata" else column for column in credit_transactions.c
]


class Surroundings(msgspec.Struct, frozen=True):
    """What explains a transaction: the rows it names and those about it; `is_cut` where there are more of these."""

    past: PriorTransactions
    is_cut: bool


def find_last_at(connection: Connection, account: Account, instant: int) -> Transaction | None:
    """The account's last transaction at or before the instant; None where its first came later.

    Raises `BrokenLedgerError` where a row that was looked up is not there.
    """
    asked = {"top": account.seq, "instant": instant, "number": account.account_no}
    found = connection.execute(_LAST_AT, asked).first()
    if found is None:
        raise _gap(account)
    seq, *row = found
    return None if seq == 0 else transaction_from_row(row)


def list_between(connection: Connection, account: Account, *, above: int, up_to: int) -> list[Transaction]:
    """The account's transactions above one `seq` and up to another, oldest first, without their metadata.

    Raises `BrokenLedgerError` where one of them is not there.
    """
    columns = credit_transactions.c
    query = (
        select(*_WITHOUT_METADATA)
        .where(columns.account_no == account.account_no, columns.seq > above, columns.seq <= up_to)
        .order_by(columns.seq)
    )
    found = [transaction_from_row(row) for row in connection.execute(query)]
    if len(found) != up_to - above:
        raise _gap(account)
    return found


def look_around(connection: Connection, account: Account, row: Transaction) -> Surroundings:
    """The rows that a transaction is about or whose grants it moves, and what came of it since."""
    columns = credit_transactions.c
    here = select(*_WITHOUT_METADATA).where(columns.account_no == account.account_no)
    named = {row.about_seq, *(seq_of(move.grant_id) for move in row.read_allocations())} - {None, row.seq}
    since = (
        here.where(columns.about_seq == row.seq, columns.seq <= account.seq, _IS_ABOUT)
        .order_by(columns.seq.desc())
        .limit(SINCE_MAX + 1)
    )
    before = [transaction_from_row(one) for one in connection.execute(here.where(columns.seq.in_(sorted(named))))]
    after = [transaction_from_row(one) for one in connection.execute(since)]
    known = sorted([*before, row, *after[:SINCE_MAX]], key=lambda one: one.seq)
    return Surroundings(PriorTransactions().with_rows(known), is_cut=len(after) > SINCE_MAX)


def _gap(account: Account) -> BrokenLedgerError:
    return BrokenLedgerError(f"the ledger of '{account.account_id}' has a gap")
