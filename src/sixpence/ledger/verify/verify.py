"""Proving the ledger: every account is folded from its first row, audited, and compared with what stands on its rows.

Reads one snapshot in key order, in bounded memory, and repairs nothing. How one account is proved: `proof`; what no
account's own rows can show: `strays`; what is kept of a run that takes long: `passed`.
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
from sixpence.ledger.database import catalogs
from sixpence.ledger.database.rows import ACCOUNT_COLUMNS
from sixpence.ledger.database.snapshot import snapshot
from sixpence.ledger.verify import orphans
from sixpence.ledger.verify.account import Proof
from sixpence.ledger.verify.raw_rows import Row, Scan
from sixpence.ledger.verify.resume import Mark, Passed, Tally, name_of, since, why_not
from sixpence.ledger.verify.row_cache import SELECT_TRANSACTIONS
from sixpence.ledger.verify.usage import UNREAD_ACCOUNTS_MAX, Unread, UsageProof, read_unread, stream_days

DIFFERENCES_MAX = 100
# How often what was passed is kept.
KEPT_EACH_SECONDS = 3.0

Progress = Callable[[int, int], None]
"""Told how many transactions of how many are done."""


class Report(msgspec.Struct):
    """What was looked at, and the differences found, in plain words: at most the first hundred.

    `erased` counts the transactions whose metadata was blanked (invariant 16). `notes` say what an operator should know
    and is no difference, again at most a hundred.
    """

    accounts: int = 0
    transactions: int = 0
    erased: int = 0
    differences: list[str] = []
    notes: list[str] = []

    @property
    def clean(self) -> bool:
        """Whether the whole ledger is as it should be."""
        return not self.differences


def verify(
    connection: Connection,
    *,
    progress: Progress | None = None,
    decide: bool = False,
    passed: Passed | None = None,
    keep: Callable[[Passed], None] | None = None,
    kept_each_seconds: float = KEPT_EACH_SECONDS,
) -> Report:
    """Fold every account's ledger and compare.

    With `decide` every transaction is decided anew as well, and has to be what the rules say: that takes longer. `keep`
    is given what was passed every few seconds, and where the run is ended before its end; a run that is given that as
    `passed` goes on from there, with what the first one found. Raises `InvalidInputError` for one of another ledger.
    """
    walk = _Walk(connection, progress or _unwatched, keep, decide=decide, kept_each_seconds=kept_each_seconds)
    with snapshot(connection):
        return walk.run(passed)


def _unwatched(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""


class _Done(msgspec.Struct, frozen=True):
    """What was proved so far; replaced as a whole, so that whatever interrupts a run leaves one that is right."""

    accounts: int = 0
    transactions: int = 0
    erased: int = 0
    account_no: int | None = None
    there: Tally = Tally()


class _Walk:
    """One run over a snapshot: what lies between the accounts first, then account by account."""

    def __init__(
        self,
        connection: Connection,
        progress: Progress,
        keep: Callable[[Passed], None] | None,
        *,
        decide: bool,
        kept_each_seconds: float,
    ) -> None:
        self._connection = connection
        self._scan = Scan(connection)
        self._progress = progress
        self._keep = keep
        self._kept_each_seconds = kept_each_seconds
        self._kept_at = time.monotonic()
        self._decide = decide
        self._priced_by: PricedBy | None = None
        self._name = ""
        self._between: list[str] = []
        self._found: list[str] = []
        self._notes: list[str] = []
        self._marks: list[Mark] = []
        self._done = _Done()
        self._came = 0

    def run(self, passed: Passed | None) -> Report:
        """The report of all that there is to be looked at."""
        self._name = name_of(self._scan)
        with self._scan.any_text():
            if passed is not None:
                self._go_on_from(passed)
            self._look_between()
        try:
            self._walk()
        except BaseException:
            self._keep_what_passed()
            raise
        done = self._done
        differences = [*self._between, *self._found][:DIFFERENCES_MAX]
        return Report(done.accounts, done.transactions, done.erased, differences, self._notes)

    def _go_on_from(self, passed: Passed) -> None:
        reason = why_not(passed, self._scan, decide=self._decide)
        if reason is not None:
            problem = f"what was kept cannot be gone on from: {reason}."
            raise InvalidInputError("resume", f"{problem} Begin anew, with another file or without one.")
        self._marks, self._found = list(passed.marks), list(passed.differences)
        now = since(passed, self._scan)
        self._done = _Done(passed.accounts, passed.transactions, passed.erased, passed.account_no, now.there)
        self._came = now.came
        self._notes += now.notes
        for difference in now.differences:
            self._differ(difference)

    def _look_between(self) -> None:
        """What no account shows by itself: the catalogs, and what lies between accounts."""
        faults = catalogs.list_faults(self._connection)
        # Where the catalogs themselves are in doubt, nothing is measured by them.
        self._priced_by = None if faults else catalogs.CatalogReader().current(self._connection)
        self._between += map(_printable, faults)
        self._between += map(_printable, orphans.list_strays(self._connection, self._scan, most=DIFFERENCES_MAX))
        self._notes += map(_printable, orphans.list_ahead(self._connection, most=DIFFERENCES_MAX))

    def _walk(self) -> None:
        scan, above = self._scan, self._done.account_no
        where, values = ("", ()) if above is None else (" WHERE account_no > ?", (above,))
        unread = self._read_unread()
        rows = _ByAccount(self._watched(f"{SELECT_TRANSACTIONS}{where} ORDER BY account_no, seq", values))
        days = _ByAccount(iter(()) if unread is None else stream_days(scan, above=above))
        accounts = f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM credit_accounts{where} ORDER BY account_no"
        for stored in scan.stream(accounts, values):
            number = stored[0]
            self._tell_strangers(rows.strangers(number), days.strangers(number))
            usage = None if unread is None else UsageProof(days.of(number), unread=unread.get(stored[1]))
            proof = Proof(scan, stored, self._priced_by, usage=usage, decide=self._decide)
            self._take(proof, number, proof.difference(rows.of(number)))
        self._tell_strangers(rows.strangers(), days.strangers())

    def _read_unread(self) -> Mapping[str, Unread] | None:
        """From where on rows are not counted by day yet; None where usage by day cannot be compared."""
        try:
            unread = read_unread(self._scan)
        except msgspec.MsgspecError as error:
            self._between.append(_printable(f"the outbox cannot be read: {error}"))
            return None
        if unread is None:
            told = f"usage by day is not compared: rows of more than {UNREAD_ACCOUNTS_MAX} accounts are not counted yet"
            self._notes.append(f"{told}; let a relay run first")
        return unread

    def _watched(self, statement: str, values: Sequence[Any]) -> Iterator[Row]:
        """The rows of a query, of whose reading is told as it goes."""
        total = int(self._scan.rows("SELECT count(*) FROM credit_transactions")[0][0])
        read = self._done.transactions
        for chunk in self._scan.chunks(statement, values):
            yield from chunk
            read += len(chunk)
            self._progress(read, total)

    def _take(self, proof: Proof, number: Any, difference: str | None) -> None:
        if difference is not None:
            self._differ(difference)
        seq, head = proof.head
        if seq > 0:
            self._marks[1:] = [Mark(number, seq, head.hex())]
        done, is_number = self._done, isinstance(number, int)
        self._done = _Done(
            done.accounts + 1,
            done.transactions + proof.transactions,
            done.erased + proof.erased,
            number if is_number else done.account_no,
            done.there.with_account(number, proof.recorded_at) if is_number else done.there,
        )
        if self._keep is not None and time.monotonic() - self._kept_at >= self._kept_each_seconds:
            self._keep_what_passed()

    def _tell_strangers(self, of_rows: Iterator[Any], of_days: Iterator[Any]) -> None:
        for number in of_rows:
            self._differ(f"transactions of account number {number} have no account")
        for number in of_days:
            self._differ(f"usage by day of account number {number} has no account")

    def _differ(self, difference: str) -> None:
        told = _printable(difference)
        # Of an account that was interrupted just after it had been told, the next run tells again.
        if len(self._found) < DIFFERENCES_MAX and told not in self._found:
            self._found.append(told)

    def _keep_what_passed(self) -> None:
        done = self._done
        if self._keep is None or done.account_no is None:
            return
        passed = Passed(
            kept_at=time.time_ns() // 1_000,
            decide=self._decide,
            catalog=self._name,
            account_no=done.account_no,
            marks=self._marks,
            accounts=done.accounts,
            transactions=done.transactions,
            erased=done.erased,
            there=done.there,
            came=self._came,
            differences=self._found,
        )
        self._keep(passed)
        self._kept_at = time.monotonic()


class _ByAccount:
    """Rows in the order of their accounts' numbers, handed out account by account."""

    def __init__(self, rows: Iterator[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._group: tuple[Any, Iterator[Row]] | None = next(self._groups, None)
        self._handed_out: Any = None

    def strangers(self, below: Any = None) -> Iterator[Any]:
        """The numbers before this one that were not asked for, all that are left where there is none."""
        while self._group is not None and (below is None or _place(self._group[0]) < _place(below)):
            if self._group[0] != self._handed_out:
                yield self._group[0]
            self._group = next(self._groups, None)

    def of(self, number: Any) -> Iterator[Row]:
        """The rows of this number, once those before it were passed over."""
        self._handed_out = number
        return iter(()) if self._group is None or self._group[0] != number else self._group[1]


def _place(number: Any) -> tuple[bool, Any]:
    """Where a number stands in the order of a table in which even a number may be something else: those come last."""
    return (False, number) if isinstance(number, int) else (True, ascii(number))


def _printable(text: str) -> str:
    """The text without the surrogates that stand for bytes that are none."""
    return text.encode(errors="backslashreplace").decode()
