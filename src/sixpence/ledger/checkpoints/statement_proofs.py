"""What proves a statement: which checkpoint it leans on, and the rows that lead from the period to it.

Not here: the proof itself and how it is checked (`core.statement_proof`).
"""

from typing import Any

from sqlalchemy import Connection, select

from sixpence.core.account.account import Account
from sixpence.core.account.transaction import FIRST_HEAD, Transaction
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.proof import merkle
from sixpence.core.proof.checkpoint import HEADS_PER_CHUNK, Checkpoint, leaf_hashes
from sixpence.core.proof.statement_proof import prove
from sixpence.core.reports.statement import Period
from sixpence.ledger.checkpoints import storage
from sixpence.ledger.checkpoints.storage import Found
from sixpence.ledger.database.rows import transaction_from_row
from sixpence.ledger.database.snapshot import snapshot
from sixpence.ledger.database.tables import credit_transactions

# A statement with more rows than this, those on to the checkpoint included, carries no proof.
ROWS_MAX = 20_000


def find_proof(connection: Connection, account: Account, period: Period) -> dict[str, Any] | None:
    """What proves the account's statement of that period, as it stands in the statement.

    None where no checkpoint covers the account yet, where it has no rows, or there are more than 20,000 to show.
    """
    with snapshot(connection):
        return _proof(connection, account, period)


def _proof(connection: Connection, account: Account, period: Period) -> dict[str, Any] | None:
    leaning = _covering(connection, account.account_no, period.closing.version)
    if leaning is None:
        return None
    checkpoint, found = leaning
    head = found.head.seq
    # From the row before the period, whose balance is the opening, to the one after it, which shows that it is whole.
    first = max(1, min(period.opening.version, head))
    last = max(min(account.seq, period.closing.version + 1), head)
    if last - first >= ROWS_MAX:
        return None
    rows = _rows(connection, account.account_no, max(1, first - 1), last)
    previous = FIRST_HEAD
    if first > 1:
        previous, rows = rows[0].hash, rows[1:]
    # The tree over a chunk's heads is a part of the whole one, so the two paths are one.
    path = merkle.path_to(leaf_hashes(found.heads), found.place) + merkle.path_to(found.roots, found.chunk)
    place = found.place + found.chunk * HEADS_PER_CHUNK
    return prove(period, rows, previous=bytes(previous), checkpoint=checkpoint, place=place, path=path)


def _covering(connection: Connection, account_no: int, version: int) -> tuple[Checkpoint, Found] | None:
    """The oldest checkpoint that covers more than that version, so that few rows lead there; else the newest there is.

    A signed row behind the period shows that the period is whole.
    """
    covering: tuple[Checkpoint, Found] | None = None
    for number in storage.list_kept(connection):
        checkpoint = storage.find_checkpoint(connection, number)
        found = storage.find_head(connection, number, account_no)
        if checkpoint is None or found is None or (covering is not None and found.head.seq <= version):
            break
        covering = checkpoint, found
    return covering


def _rows(connection: Connection, account_no: int, first: int, last: int) -> list[Transaction]:
    columns = credit_transactions.c
    query = select(credit_transactions).where(
        columns.account_no == account_no, columns.seq >= first, columns.seq <= last
    )
    rows = [transaction_from_row(row) for row in connection.execute(query.order_by(columns.seq))]
    if [row.seq for row in rows] != list(range(first, last + 1)):
        raise BrokenLedgerError(f"account number {account_no} lacks transactions between {first} and {last}")
    return rows
