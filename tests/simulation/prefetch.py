"""Reads what a batch's commands name from the simulated database: by place, by `about_seq`, by expiry."""

from collections.abc import Iterable

from sixpence.core.account.account import Account
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.database.rows import hold_from_document
from sixpence.ledger.writer.prefetch import (
    Prefetch,
    RowKey,
    group_prior_transactions,
    replaced_grant_keys,
    source_grant_keys,
)
from sixpence.ledger.writer.revoked_grants import Scan, contains_word, scan_revoked_grants
from sixpence.ledger.writer.store import BatchNeeds
from tests.simulation.database import Database


def read_needed(
    database: Database, asked: BatchNeeds, accounts: dict[str, Account], wanted: Prefetch
) -> dict[str, PriorTransactions]:
    """Read the holds and the earlier transactions that the commands need."""
    found = [row for number, seq in wanted.holds if (row := database.holds.get(number, {}).get(seq)) is not None]
    for one in wanted.open_holds:
        waiting = database.open_holds.get(one.account_no, {}).values()
        by_expiry = sorted(waiting, key=lambda hold: (hold.expires_at, hold.seq))
        due = sum(hold.expires_at <= one.due_by for hold in by_expiry)
        found += by_expiry[: due + one.beyond]
    by_no = {account.account_no: account for account in accounts.values()}
    for hold in found:
        by_no[hold.account_no].holds[hold.id] = hold_from_document(hold.document)
    rows = _past_rows(database, wanted.past)
    rows += _past_rows(database, source_grant_keys(asked, accounts, rows))
    rows += _past_rows(database, replaced_grant_keys(rows))
    rows += scan_revoked_grants(asked, accounts, rows, lambda scans: _rows_naming(database, scans))
    return group_prior_transactions(asked, accounts, rows)


def _past_rows(database: Database, places: Iterable[RowKey]) -> list[Transaction]:
    rows = []
    for number, seq in places:
        row = database.rows.get(number, {}).get(seq)
        rows += [] if row is None else [row]
        rows += database.about.get((number, seq), [])
    return rows


def _rows_naming(database: Database, scans: Iterable[Scan]) -> list[Transaction]:
    return [
        row
        for scan in scans
        for row in database.rows.get(scan.account_no, {}).values()
        if row.seq > scan.above and contains_word(row, scan.words)
    ]
