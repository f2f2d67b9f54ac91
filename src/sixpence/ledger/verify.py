"""Proving the ledger: every account is folded from its first row, audited, and compared with what stands on its rows.

Reads one snapshot in key order, in bounded memory, and repairs nothing. How one account is proved: `proof`; what no
account's own rows can show: `strays`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text

from sixpence.core.transaction import Transaction
from sixpence.ledger import catalogs, proof, strays
from sixpence.ledger.rows import transaction_from_row
from sixpence.ledger.schema import credit_accounts, credit_transactions

ROWS_AT_ONCE = 1_000
DIFFERENCES_MAX = 100


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
    connection: Connection, *, progress: Callable[[int, int], None] | None = None, decide: bool = False
) -> Report:
    """Fold every account's ledger and compare; `progress` is told how many transactions of how many are done.

    With `decide` every transaction is decided anew as well, and has to be what the rules say: that takes longer.
    """
    snapshot = "BEGIN" if connection.dialect.name == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    connection.execute(text(snapshot))
    try:
        with _any_text(connection):
            return _verify(connection, progress or _unwatched, decide=decide)
    finally:
        connection.execute(text("ROLLBACK"))


@contextmanager
def _any_text(connection: Connection) -> Iterator[None]:
    """SQLite keeps any bytes as text: what is no UTF-8 becomes a difference of its account, and no end of the run."""
    driver = connection.connection.driver_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    before = driver.text_factory
    driver.text_factory = lambda data: data.decode(errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = before


def _unwatched(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""


def _verify(connection: Connection, progress: Callable[[int, int], None], *, decide: bool) -> Report:
    report = Report()
    faults = catalogs.list_faults(connection)
    for fault in faults:
        _differ(report, fault)
    # Where the catalogs themselves are in doubt, nothing is measured by them.
    priced_by = None if faults else catalogs.CatalogReader().current(connection)
    for stray in strays.list_strays(connection, most=DIFFERENCES_MAX):
        _differ(report, stray)
    report.notes += strays.list_ahead(connection, most=DIFFERENCES_MAX)
    total = int(connection.scalar(select(func.count()).select_from(credit_transactions)) or 0)
    ledgers = groupby(_rows(connection), key=lambda row: row.account_no)
    number, rows = next(ledgers, (None, iter(())))
    for row in _stream(connection, select(credit_accounts).order_by(credit_accounts.c.account_no)):
        while number is not None and _place(number) < _place(row[0]):
            _differ(report, f"transactions of account number {number} have no account")
            number, rows = next(ledgers, (None, iter(())))
        counted = _Counted(rows if number == row[0] else iter(()))
        difference = proof.difference(connection, row, counted, priced_by, decide=decide)
        if difference is not None:
            _differ(report, difference)
        report.accounts += 1
        report.transactions += counted.count
        report.erased += counted.erased
        progress(report.transactions, total)
        if number == row[0]:
            number, rows = next(ledgers, (None, iter(())))
    while number is not None:
        _differ(report, f"transactions of account number {number} have no account")
        number, rows = next(ledgers, (None, iter(())))
    return report


def _place(number: Any) -> tuple[bool, Any]:
    """Where a number stands in the order of a table in which even a number may be something else: those come last."""
    return (False, number) if isinstance(number, int) else (True, ascii(number))


class _Counted:
    """Rows that are counted as they are read."""

    def __init__(self, rows: Iterator[Transaction]) -> None:
        self._rows = rows
        self.count = self.erased = 0

    def __iter__(self) -> Iterator[Transaction]:
        for row in self._rows:
            self.count += 1
            self.erased += row.metadata is None and row.metadata_digest is not None
            yield row


def _rows(connection: Connection) -> Iterator[Transaction]:
    columns = credit_transactions.c
    query = select(credit_transactions).order_by(columns.account_no, columns.seq)
    return map(transaction_from_row, _stream(connection, query))


def _stream(connection: Connection, query: Any) -> Iterator[Any]:
    return iter(connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)))


def _differ(report: Report, difference: str) -> None:
    if len(report.differences) < DIFFERENCES_MAX:
        report.differences.append(difference)
