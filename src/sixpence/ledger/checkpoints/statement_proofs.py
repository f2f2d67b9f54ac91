"""Finding the proof of a statement: a checkpoint that covers the account, and the rows from the period to it.

Not here: the proof's form and how it is checked (`sixpence.core.proof.statement_proof`).
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
from sixpence.ledger.checkpoints.storage import StoredHead
from sixpence.ledger.database.rows import transaction_from_row
from sixpence.ledger.database.snapshot import snapshot
from sixpence.ledger.database.tables import credit_transactions

# A statement with more rows than this has no proof. The rows up to the checkpoint count.
ROWS_MAX = 20_000


def find_proof(connection: Connection, account: Account, period: Period) -> dict[str, Any] | None:
    """The proof of the account's statement of that period, as the statement's JSON has it.

    None if no checkpoint covers the account yet, if the account has no rows, or if the proof needs more than 20,000.
    """
    with snapshot(connection):
        return _proof(connection, account, period)


def _proof(connection: Connection, account: Account, period: Period) -> dict[str, Any] | None:
    covering = _find_covering(connection, account.account_no, period.closing.version)
    if covering is None:
        return None
    checkpoint, found = covering
    head = found.head.seq
    # From the row before the period, which has the opening balance, to the one after it, which shows that the period is
    # complete.
    first = max(1, min(period.opening.version, head))
    last = max(min(account.seq, period.closing.version + 1), head)
    if last - first >= ROWS_MAX:
        return None
    rows = _list_rows(connection, account.account_no, max(1, first - 1), last)
    previous = FIRST_HEAD
    if first > 1:
        previous, rows = rows[0].hash, rows[1:]
    # The tree over a chunk is a subtree of the whole one, so the two paths form one.
    path = merkle.path_to(leaf_hashes(found.heads), found.place) + merkle.path_to(found.roots, found.chunk)
    place = found.place + found.chunk * HEADS_PER_CHUNK
    return prove(period, rows, previous=bytes(previous), checkpoint=checkpoint, place=place, path=path)


def _find_covering(connection: Connection, account_no: int, version: int) -> tuple[Checkpoint, StoredHead] | None:
    """The oldest checkpoint that covers a later row than `version`, so that the proof is short; else the newest.

    A signed row after the period shows that no row of the period is missing.
    """
    covering: tuple[Checkpoint, StoredHead] | None = None
    for number in storage.list_numbers_with_heads(connection):
        checkpoint = storage.find_checkpoint(connection, number)
        found = storage.find_head(connection, number, account_no)
        if checkpoint is None or found is None or (covering is not None and found.head.seq <= version):
            break
        covering = checkpoint, found
    return covering


def _list_rows(connection: Connection, account_no: int, first: int, last: int) -> list[Transaction]:
    columns = credit_transactions.c
    query = select(credit_transactions).where(
        columns.account_no == account_no, columns.seq >= first, columns.seq <= last
    )
    rows = [transaction_from_row(row) for row in connection.execute(query.order_by(columns.seq))]
    if [row.seq for row in rows] != list(range(first, last + 1)):
        raise BrokenLedgerError(f"account number {account_no} lacks transactions between {first} and {last}")
    return rows
