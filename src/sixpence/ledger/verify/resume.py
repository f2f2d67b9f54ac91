"""How far a proof has come: what is kept of one that takes long, so that another run can go on from there.

Here: what that is, and whether it is of this ledger. Not here: where it is kept (`sixpence.cli`), the walk (`verify`).
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
    """A transaction that was there: no ledger but this one has that hash in that place."""

    account_no: int
    seq: int
    hash: str


class Tally(msgspec.Struct, frozen=True):
    """Which accounts these are: how many, a sum that tells them from as many others, and when the newest was recorded.

    An account is as old as its first row, by the clock that recorded it; one without any is of the beginning.
    """

    accounts: int = 0
    sum: int = 0
    newest: int = 0

    def with_account(self, number: int, recorded_at: object) -> "Tally":
        """These and that account."""
        hashed = hashlib.blake2b(str(number).encode(), digest_size=8).digest()
        total = (self.sum + int.from_bytes(hashed)) % 2**64
        return Tally(self.accounts + 1, total, max(self.newest, _instant(recorded_at)))


class Passed(msgspec.Struct, frozen=True, kw_only=True):
    """Every account up to that number was proved, with these counts, by a run that began or went on `decide` or not.

    `kept_at` is when this was written, in microseconds. The marks are the first and the last account's last
    transactions. `there` are all accounts up to that number, with `came` that were not proved, as they came too late.
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
    there: Tally
    came: int
    differences: list[str]


class Since(msgspec.Struct, frozen=True):
    """What going on leaves open, as notes; what is wrong with what was passed, as differences; and who is there now."""

    notes: list[str]
    differences: list[str]
    there: Tally
    came: int


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


def since(passed: Passed, scan: Scan) -> Since:
    """What became of the accounts that were passed: who came since is newer than all of them."""
    before = now = Tally()
    for number, recorded_at in scan.stream(_ACCOUNTS, (passed.account_no,)):
        now = now.with_account(number, recorded_at)
        if _instant(recorded_at) <= passed.there.newest:
            before = before.with_account(number, recorded_at)
    until = to_wire(passed.kept_at)
    notes = [
        f"{passed.accounts} accounts with {passed.transactions} transactions were proved by {until} and are not again; "
        "what has changed in them since is not proved"
    ]
    came = passed.came + now.accounts - before.accounts
    if came > 0:
        notes.append(f"{came} accounts have come since among those, and are not proved")
    return Since(notes, _differences(passed.there, before, until), now, came)


def _differences(there: Tally, before: Tally, until: str) -> list[str]:
    gone = there.accounts - before.accounts
    if gone > 0:
        return [f"{gone} accounts are gone that were there by {until}"]
    if (there.accounts, there.sum) != (before.accounts, before.sum):
        return [f"the accounts that were proved by {until} are not those that are there now; begin anew to know more"]
    return []


def _instant(recorded_at: object) -> int:
    return recorded_at if isinstance(recorded_at, int) else 0
