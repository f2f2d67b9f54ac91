"""Resuming a verification: the resume point that a long run saves, and the checks that it is of this ledger.

Not here: the file that holds it (`sixpence.cli`), and the walk over the accounts (`verify`).
"""

import hashlib
from typing import Literal

import msgspec

from sixpence.core.values.instant import to_wire
from sixpence.ledger.verify.raw_rows import Scan

_FIRST_CATALOG = "SELECT digest, applied_at FROM catalog_versions WHERE version = 1"
_HASH = "SELECT hash FROM credit_transactions WHERE account_no = ? AND seq = ?"
_ACCOUNTS = """
    SELECT a.account_no, (
        SELECT t.recorded_at FROM credit_transactions AS t WHERE t.account_no = a.account_no ORDER BY t.seq LIMIT 1
    ) FROM credit_accounts AS a WHERE a.account_no <= ? ORDER BY a.account_no
    """


class Mark(msgspec.Struct, frozen=True):
    """A transaction that was verified. Only this ledger has that hash in that place."""

    account_no: int
    seq: int
    hash: str


class AccountsDigest(msgspec.Struct, frozen=True):
    """A digest of a set of accounts: their number, the sum of their numbers' hashes, and when the newest was recorded.

    An account is as old as its first row, by the clock that recorded it; an account without rows has the age 0.
    """

    accounts: int = 0
    sum: int = 0
    newest: int = 0

    def with_account(self, number: int, recorded_at: object) -> "AccountsDigest":
        """The digest of these accounts and one more."""
        hashed = hashlib.blake2b(str(number).encode(), digest_size=8).digest()
        total = (self.sum + int.from_bytes(hashed)) % 2**64
        return AccountsDigest(self.accounts + 1, total, max(self.newest, _instant(recorded_at)))


class ResumePoint(msgspec.Struct, frozen=True, kw_only=True):
    """Every account up to `account_no` was verified, with these counts. The fields are named as in the saved file.

    `kept_at` is when it was saved, in microseconds. The marks are the last transactions of the first and of the last
    account. `there` is the digest of all accounts up to that number. `came` of them were not verified: they are newer
    than an earlier resume point that had passed their numbers.
    """

    format: Literal[2] = 2
    kept_at: int
    decide: bool
    catalog: str
    account_no: int
    marks: list[Mark]
    accounts: int
    transactions: int
    erased: int
    there: AccountsDigest
    came: int
    differences: list[str]


class ChangesSince(msgspec.Struct, frozen=True):
    """The changes in the accounts of a resume point: faults as differences, and unverified accounts as notes.

    `there` and `came` are those of `ResumePoint`, for the ledger as it is now.
    """

    notes: list[str]
    differences: list[str]
    there: AccountsDigest
    came: int


def identify_ledger(scan: Scan) -> str:
    """The digest and the time of the ledger's first catalog. They never change, and few ledgers share them."""
    return " ".join(str(value) for row in scan.rows(_FIRST_CATALOG) for value in row)


def find_mismatch(point: ResumePoint, scan: Scan, *, decide: bool) -> str | None:
    """Why a run cannot resume from this point, in words; None if it can."""
    if point.decide != decide:
        return f"it was begun {'with' if point.decide else 'without'} --decide"
    if point.catalog != identify_ledger(scan):
        return "it is of another ledger, which began with another catalog"
    for mark in point.marks:
        hashes = [bytes(found).hex() for (found,) in scan.rows(_HASH, (mark.account_no, mark.seq))]
        if hashes != [mark.hash]:
            place = f"transaction {mark.seq} of account number {mark.account_no}"
            return f"{place}, which it has verified, is not in this ledger"
    return None


def read_changes_since(point: ResumePoint, scan: Scan) -> ChangesSince:
    """Compare the accounts up to a resume point with those that it has counted; newer accounts were not verified."""
    counted = now = AccountsDigest()
    for number, recorded_at in scan.stream(_ACCOUNTS, (point.account_no,)):
        now = now.with_account(number, recorded_at)
        if _instant(recorded_at) <= point.there.newest:
            counted = counted.with_account(number, recorded_at)
    saved_at = to_wire(point.kept_at)
    notes = [
        f"{point.accounts} accounts with {point.transactions} transactions were verified by {saved_at} and were "
        "skipped; their changes since are not verified"
    ]
    came = point.came + now.accounts - counted.accounts
    if came > 0:
        notes.append(f"{came} newer accounts are among those, and are not verified")
    return ChangesSince(notes, _list_differences(point.there, counted, saved_at), now, came)


def _list_differences(verified: AccountsDigest, found: AccountsDigest, saved_at: str) -> list[str]:
    removed = verified.accounts - found.accounts
    if removed > 0:
        return [f"{removed} accounts were removed since {saved_at}"]
    if (verified.accounts, verified.sum) != (found.accounts, found.sum):
        return [f"the accounts that were verified by {saved_at} are not the current ones; verify from the beginning"]
    return []


def _instant(recorded_at: object) -> int:
    return recorded_at if isinstance(recorded_at, int) else 0
