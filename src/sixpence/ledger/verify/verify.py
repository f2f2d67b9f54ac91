"""Verifying the ledger: every account is folded from its first transaction, audited, and compared with its stored rows.

Reads one snapshot in key order, in bounded memory, and repairs nothing. Not here: how one account is verified
(`account`), the faults between accounts (`orphans`), and the resume point of a long run (`resume`).
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Connection

from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.errors import InvalidInputError
from sixpence.core.values.wire_value import WireValue
from sixpence.ledger.database import catalogs
from sixpence.ledger.database.rows import ACCOUNT_COLUMNS
from sixpence.ledger.database.snapshot import snapshot
from sixpence.ledger.verify import orphans
from sixpence.ledger.verify.account import AccountVerifier
from sixpence.ledger.verify.raw_rows import Row, Scan
from sixpence.ledger.verify.resume import (
    AccountsDigest,
    Mark,
    ResumePoint,
    find_mismatch,
    identify_ledger,
    read_changes_since,
)
from sixpence.ledger.verify.row_cache import SELECT_TRANSACTIONS
from sixpence.ledger.verify.usage import (
    PENDING_ACCOUNTS_MAX,
    PendingRows,
    UsageVerifier,
    read_pending_rows,
    stream_days,
)

DIFFERENCES_MAX = 100
# How often a resume point is saved.
SAVE_INTERVAL_SECONDS = 3.0

Progress = Callable[[int, int], None]
"""Receives how many transactions were read, and how many there are in all."""


class Report(WireValue, msgspec.Struct):
    """What was verified, and the differences found, in words: at most the first hundred.

    `erased` counts the transactions with blanked metadata (invariant 16). `notes` are warnings to the operator that are
    not differences, again at most a hundred of a kind.
    """

    accounts: int = 0
    transactions: int = 0
    erased: int = 0
    differences: list[str] = []
    notes: list[str] = []

    @property
    def clean(self) -> bool:
        """Whether no difference was found."""
        return not self.differences


def verify(
    connection: Connection,
    *,
    progress: Progress | None = None,
    decide: bool = False,
    resume_from: ResumePoint | None = None,
    save: Callable[[ResumePoint], None] | None = None,
    save_interval_seconds: float = SAVE_INTERVAL_SECONDS,
) -> Report:
    """Fold every account's ledger and compare it with the stored rows.

    With `decide` the rules decide every transaction again and must come to the same result; that takes longer. `save`
    receives a resume point every few seconds, and when the run is interrupted. `resume_from` resumes there, with the
    differences found before. Raises `InvalidInputError` for a resume point of another ledger.
    """
    walk = _Walk(
        connection, progress or _ignore_progress, save, decide=decide, save_interval_seconds=save_interval_seconds
    )
    with snapshot(connection):
        return walk.run(resume_from)


def _ignore_progress(_done: int, _total: int) -> None:
    pass


class _Done(msgspec.Struct, frozen=True):
    """What was verified so far; replaced as a whole, so that it is consistent wherever a run is interrupted."""

    accounts: int = 0
    transactions: int = 0
    erased: int = 0
    account_no: int | None = None
    there: AccountsDigest = AccountsDigest()


class _Walk:
    """One run over a snapshot: first the faults between accounts, then account by account."""

    def __init__(
        self,
        connection: Connection,
        progress: Progress,
        save: Callable[[ResumePoint], None] | None,
        *,
        decide: bool,
        save_interval_seconds: float,
    ) -> None:
        self._connection = connection
        self._scan = Scan(connection)
        self._progress = progress
        self._save = save
        self._save_interval_seconds = save_interval_seconds
        self._saved_at = time.monotonic()
        self._decide = decide
        self._priced_by: PricedBy | None = None
        self._ledger = ""
        self._global_differences: list[str] = []
        self._account_differences: list[str] = []
        self._notes: list[str] = []
        self._marks: list[Mark] = []
        self._done = _Done()
        self._came = 0

    def run(self, resume_from: ResumePoint | None) -> Report:
        """Verify everything, from the resume point on if one is given."""
        self._ledger = identify_ledger(self._scan)
        with self._scan.tolerating_invalid_utf8():
            if resume_from is not None:
                self._resume(resume_from)
            self._check_between_accounts()
        try:
            self._check_accounts()
        except BaseException:
            self._save_resume_point()
            raise
        done = self._done
        differences = [*self._global_differences, *self._account_differences][:DIFFERENCES_MAX]
        return Report(done.accounts, done.transactions, done.erased, differences, self._notes)

    def _resume(self, point: ResumePoint) -> None:
        mismatch = find_mismatch(point, self._scan, decide=self._decide)
        if mismatch is not None:
            problem = f"cannot resume from this file: {mismatch}."
            raise InvalidInputError("resume", f"{problem} Start again with another file, or without one.")
        self._marks, self._account_differences = list(point.marks), list(point.differences)
        changes = read_changes_since(point, self._scan)
        self._done = _Done(point.accounts, point.transactions, point.erased, point.account_no, changes.there)
        self._came = changes.came
        self._notes += changes.notes
        for difference in changes.differences:
            self._add_difference(difference)

    def _check_between_accounts(self) -> None:
        """Check the catalogs and what no single account shows."""
        faults = catalogs.list_faults(self._connection)
        # Faulty catalogs cannot price any transaction.
        self._priced_by = None if faults else catalogs.CatalogReader().current(self._connection)
        found = orphans.list_orphans(self._connection, self._scan, most=DIFFERENCES_MAX)
        self._global_differences += map(_escape_invalid_bytes, [*faults, *found])
        clocks_ahead = orphans.list_clocks_ahead(self._connection, most=DIFFERENCES_MAX)
        self._notes += map(_escape_invalid_bytes, clocks_ahead)

    def _check_accounts(self) -> None:
        scan, above = self._scan, self._done.account_no
        where, values = ("", ()) if above is None else (" WHERE account_no > ?", (above,))
        pending = self._read_pending_rows()
        rows = _ByAccount(self._stream_with_progress(f"{SELECT_TRANSACTIONS}{where} ORDER BY account_no, seq", values))
        days = _ByAccount(iter(()) if pending is None else stream_days(scan, above=above))
        accounts = f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM credit_accounts{where} ORDER BY account_no"
        for stored in scan.stream(accounts, values):
            number = stored[0]
            self._add_orphans(rows.skip_to(number), days.skip_to(number))
            usage = None if pending is None else UsageVerifier(days.rows_of(number), pending=pending.get(stored[1]))
            verifier = AccountVerifier(scan, stored, self._priced_by, usage=usage, decide=self._decide)
            self._finish_account(verifier, number, verifier.find_difference(rows.rows_of(number)))
        self._add_orphans(rows.skip_to(), days.skip_to())

    def _read_pending_rows(self) -> Mapping[str, PendingRows] | None:
        """The rows that usage by day does not count yet; None if usage by day cannot be compared."""
        try:
            pending = read_pending_rows(self._scan)
        except msgspec.MsgspecError as error:
            self._global_differences.append(_escape_invalid_bytes(f"the outbox cannot be read: {error}"))
            return None
        if pending is None:
            reason = f"rows of more than {PENDING_ACCOUNTS_MAX} accounts are not counted yet"
            self._notes.append(f"usage by day is not compared: {reason}; let a relay run first")
        return pending

    def _stream_with_progress(self, statement: str, values: Sequence[Any]) -> Iterator[Row]:
        """Stream transactions, reporting progress."""
        total = int(self._scan.rows("SELECT count(*) FROM credit_transactions")[0][0])
        read = self._done.transactions
        for chunk in self._scan.chunks(statement, values):
            yield from chunk
            read += len(chunk)
            self._progress(read, total)

    def _finish_account(self, verifier: AccountVerifier, number: Any, difference: str | None) -> None:
        if difference is not None:
            self._add_difference(difference)
        seq, head = verifier.head
        if seq > 0:
            self._marks[1:] = [Mark(number, seq, head.hex())]
        done, is_number = self._done, isinstance(number, int)
        self._done = _Done(
            done.accounts + 1,
            done.transactions + verifier.transactions,
            done.erased + verifier.erased,
            number if is_number else done.account_no,
            done.there.with_account(number, verifier.recorded_at) if is_number else done.there,
        )
        if self._save is not None and time.monotonic() - self._saved_at >= self._save_interval_seconds:
            self._save_resume_point()

    def _add_orphans(self, of_rows: Iterator[Any], of_days: Iterator[Any]) -> None:
        for number in of_rows:
            self._add_difference(f"transactions of account number {number} have no account")
        for number in of_days:
            self._add_difference(f"usage by day of account number {number} has no account")

    def _add_difference(self, difference: str) -> None:
        printable = _escape_invalid_bytes(difference)
        # An interruption just after an account's difference makes the next run find it a second time.
        if len(self._account_differences) < DIFFERENCES_MAX and printable not in self._account_differences:
            self._account_differences.append(printable)

    def _save_resume_point(self) -> None:
        done = self._done
        if self._save is None or done.account_no is None:
            return
        point = ResumePoint(
            kept_at=time.time_ns() // 1_000,
            decide=self._decide,
            catalog=self._ledger,
            account_no=done.account_no,
            marks=self._marks,
            accounts=done.accounts,
            transactions=done.transactions,
            erased=done.erased,
            there=done.there,
            came=self._came,
            differences=self._account_differences,
        )
        self._save(point)
        self._saved_at = time.monotonic()


class _ByAccount:
    """Rows in the order of their accounts' numbers, grouped by account."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._group: tuple[Any, Iterator[Row]] | None = next(self._groups, None)
        self._requested: Any = None

    def skip_to(self, number: Any = None) -> Iterator[Any]:
        """Skip to this number, or to the end; yields the numbers whose rows were not requested: they are orphans."""
        while self._group is not None and (number is None or _sort_key(self._group[0]) < _sort_key(number)):
            if self._group[0] != self._requested:
                yield self._group[0]
            self._group = next(self._groups, None)

    def rows_of(self, number: Any) -> Iterator[Row]:
        """The rows of this number, after `skip_to`."""
        self._requested = number
        return iter(()) if self._group is None or self._group[0] != number else self._group[1]


def _sort_key(number: Any) -> tuple[bool, Any]:
    """The order of account numbers; SQLite stores any value in any column, and sorts what is not a number last."""
    return (False, number) if isinstance(number, int) else (True, ascii(number))


def _escape_invalid_bytes(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
