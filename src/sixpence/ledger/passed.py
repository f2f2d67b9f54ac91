"""How far a proof has come: what is kept of one that takes long, so that another run can go on from there.

Here: what that is, and whether it is of this ledger. Not here: where it is kept (`sixpence.cli`), the walk (`verify`).
"""

from typing import Literal

import msgspec

from sixpence.core.instant import to_wire
from sixpence.ledger.scan import Scan

_FIRST_CATALOG = "SELECT digest, applied_at FROM catalog_versions WHERE version = 1"
_HASH = "SELECT hash FROM credit_transactions WHERE account_no = ? AND seq = ?"
_ACCOUNTS = "SELECT count(*) FROM credit_accounts WHERE account_no <= ?"


class Mark(msgspec.Struct, frozen=True):
    """A transaction that was there: no ledger but this one has that hash in that place."""

    account_no: int
    seq: int
    hash: str


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """Every account up to that number was proved, with these counts, by a run that began or went on `decide` or not.

    `kept_at` is when this was written, in microseconds. The marks are the first and the last account's last
    transactions.
    """

    format: Literal[1] = 1
    kept_at: int
    decide: bool
    catalog: str
    account_no: int
    marks: list[Mark]
    accounts: int
    transactions: int
    erased: int
    differences: list[str]


def name_of(scan: Scan) -> str:
    """What tells one ledger from most others, and is the same for its life: its first catalog, and when that came."""
    return " ".join(str(value) for row in scan.rows(_FIRST_CATALOG) for value in row)


def why_not(passed: Passed, scan: Scan, *, decide: bool) -> str | None:
    """Why a run cannot go on from there, None where it can."""
    if passed.decide != decide:
        return f"it was begun {'with' if passed.decide else 'without'} deciding anew"
    if passed.catalog != name_of(scan):
        return "it is of another ledger, which began with another catalog"
    for mark in passed.marks:
        there = [bytes(found).hex() for (found,) in scan.rows(_HASH, (mark.account_no, mark.seq))]
        if there != [mark.hash]:
            return (
                f"transaction {mark.seq} of account number {mark.account_no}, which it has seen, is not in this ledger"
            )
    return None


def since(passed: Passed, scan: Scan) -> tuple[list[str], list[str]]:
    """What going on from there leaves open, as notes, and what is wrong with what was passed, as differences."""
    until = to_wire(passed.kept_at)
    notes = [
        f"{passed.accounts} accounts with {passed.transactions} transactions were proved by {until} and are not again; "
        "what has changed in them since is not proved"
    ]
    ((now,),) = scan.rows(_ACCOUNTS, (passed.account_no,))
    if now > passed.accounts:
        notes.append(f"{now - passed.accounts} accounts have come since among those, and are not proved")
    gone = passed.accounts - now
    return notes, [f"{gone} accounts are gone that were there by {until}"] if gone > 0 else []
