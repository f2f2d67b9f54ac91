"""Proving the ledger: every account is folded from its first row and compared with what stands on its row.

Reads one snapshot in key order, in bounded memory, and repairs nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, text

from sixpence.core.account import Account
from sixpence.core.bounds import account_no
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.fold import fold
from sixpence.core.transaction import Transaction, transaction_id
from sixpence.ledger import catalogs
from sixpence.ledger.keyed import ATTEMPTS_MAX
from sixpence.ledger.rows import account_from_row, transaction_from_row
from sixpence.ledger.schema import credit_accounts, credit_transactions

ROWS_AT_ONCE = 1_000
DIFFERENCES_MAX = 100


class Report(msgspec.Struct):
    """What was looked at, and the differences found, in plain words: at most the first hundred."""

    accounts: int = 0
    transactions: int = 0
    differences: list[str] = []

    @property
    def clean(self) -> bool:
        """Whether the whole ledger is as it should be."""
        return not self.differences


def verify(connection: Connection, *, progress: Callable[[int, int], None] | None = None) -> Report:
    """Fold every account's ledger and compare; `progress` is told how many transactions of how many are done."""
    snapshot = "BEGIN" if connection.dialect.name == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    connection.execute(text(snapshot))
    try:
        with _any_text(connection):
            return _verify(connection, progress or _unwatched)
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


def _verify(connection: Connection, progress: Callable[[int, int], None]) -> Report:
    report = Report()
    for fault in catalogs.list_faults(connection):
        _differ(report, fault)
    total = int(connection.scalar(select(func.count()).select_from(credit_transactions)) or 0)
    ledgers = groupby(_rows(connection), key=lambda row: row.account_no)
    number, rows = next(ledgers, (None, iter(())))
    for row in _stream(connection, select(credit_accounts).order_by(credit_accounts.c.account_no)):
        while number is not None and _place(number) < _place(row[0]):
            _differ(report, f"transactions of account number {number} have no account")
            number, rows = next(ledgers, (None, iter(())))
        counted = _Counted(rows if number == row[0] else iter(()))
        difference = _difference(row, counted)
        if difference is not None:
            _differ(report, difference)
        report.accounts += 1
        report.transactions += counted.count
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


def _difference(row: Any, rows: "_Counted") -> str | None:
    """The first thing about the account that its ledger does not bear out."""
    name = f"account '{row[1]}'"
    if not isinstance(row[0], int):
        return f"{name}: its number is {row[0]!r:.60}, which is none"
    try:
        stored = account_from_row(row)
        folded = fold(Account(account_no=row[0], account_id=row[1]), _checked(rows))
    except BrokenLedgerError as error:
        return f"{name}: {error}"
    except (TypeError, ValueError, AttributeError, ArithmeticError, MemoryError) as error:
        # SQLite keeps any value in any column, so what is there may not even be a number.
        return f"{name}: its ledger cannot be read: {error}"
    if row[0] not in (account_no(stored.account_id, attempt) for attempt in range(ATTEMPTS_MAX)):
        return f"{name}: number {row[0]} does not follow from its id"
    # Not in the ledger: they can be erased, or were never a change of credits.
    folded.label, folded.metadata = stored.label, stored.metadata
    for field in stored.__struct_fields__:
        if getattr(stored, field) != getattr(folded, field):
            return (
                f"{name}: {field} is {getattr(stored, field)!r:.200}, its ledger says {getattr(folded, field)!r:.200}"
            )
    spendable = sum(grant.remaining - grant.held for grant in stored.grants if not grant.pending) - stored.owed
    if spendable != stored.remaining:
        return f"{name}: remaining is {stored.remaining}, its grants have {spendable}"
    return None


def _checked(rows: "_Counted") -> Iterator[Transaction]:
    for row in rows:
        if row.id != transaction_id(row.account_no, row.seq, row.created_at):
            raise BrokenLedgerError(f"transaction {row.seq}: its id does not follow from its place and time")
        yield row


class _Counted:
    """Rows that are counted as they are read."""

    def __init__(self, rows: Iterator[Transaction]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Transaction]:
        for row in self._rows:
            self.count += 1
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
