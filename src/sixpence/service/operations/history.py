"""History: an account's balance at an instant, its statement for a period, and explanations.

Every read first applies everything that is due, so a balance at an instant includes what was due by then. It also waits
for transactions that may still commit at or before that instant, so the same question always has the same result.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TypeVar

from msgspec import structs
from sqlalchemy import Connection

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import TransactionNotFoundError
from sixpence.core.reports.account_explanation import LATEST_MAX, explain_balance
from sixpence.core.reports.explanation import explain_row
from sixpence.core.reports.statement import Figures, Period, Statement, StatementMovement
from sixpence.core.reports.statement_csv import StatementCSV
from sixpence.core.reports.statement_text import StatementText
from sixpence.core.rules.context import DecisionContext
from sixpence.core.values.bounds import shown
from sixpence.core.values.instant import DAY, INSTANT_MAX, to_datetime, to_wire
from sixpence.ledger.checkpoints.statement_proofs import find_proof
from sixpence.ledger.reads import accounts
from sixpence.ledger.reads.point_in_time import (
    RelatedTransactions,
    find_transaction_at,
    list_transactions_between,
    read_related_transactions,
)
from sixpence.ledger.writer.batch import Request
from sixpence.service.operations.base import Operations
from sixpence.service.requests import fields
from sixpence.service.results.statements import BalanceExplanation, CreditStatement, PastBalance, TransactionExplanation

T = TypeVar("T")
DAYS = 30
# The limit of a statement as data. As text and CSV it is streamed and may have any length.
MOVEMENTS_MAX = 10_000
_MOVEMENTS_PER_READ = 500
_FORMS: dict[str, type[StatementText | StatementCSV]] = {"text": StatementText, "csv": StatementCSV}


class HistoryOperations(Operations):
    """The reads of an account's past, and of the reasons for it."""

    async def balance_at(self, account_id: str, at: datetime | None = None) -> PastBalance:
        """The account's balance at an instant, after every transaction up to it; by default now.

        Before the first transaction it is 0, at version 0. An instant in the future is refused. Raises
        `AccountNotFoundError`, and `AccountBusyError` while an open transaction locks the account.
        """
        instant = fields.instant("at", at)
        context = await self._read_account(account_id)
        if instant is not None and instant > context.now:
            raise _future_error("at", instant, context, "leave it out for the balance now")
        upper = context.now if instant is None else instant
        account, row = await self._read_final(
            context, upper, lambda connection, account: find_transaction_at(connection, account, upper)
        )
        return PastBalance.of(account.account_id, to_datetime(upper), row)

    async def get_statement(
        self, account_id: str, *, since: datetime | None = None, until: datetime | None = None, actors: bool = True
    ) -> CreditStatement:
        """The balance right before `since`, each movement from `since` on, and the balance right before `until`.

        By default the last 30 days up to now. More than 10,000 movements are refused; `stream_statement` has no such
        limit. Without `actors`, for the account's user, it names nobody and has no proof, since a proof has the names.
        Raises `AccountNotFoundError`, and `AccountBusyError` while an open transaction locks the account.
        """
        account, period = await self._period(account_id, since, until)
        statement = await self._read(lambda connection: self._statement(connection, account, period))
        return statement if actors else statement.without_actors()

    async def stream_statement(
        self,
        account_id: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        form: str = "text",
        actors: bool = True,
    ) -> AsyncIterator[str]:
        """Streams the same statement, of any length, as `text` for people or as `csv`.

        With its first chunk it raises what `get_statement` raises.
        """
        if form not in _FORMS:
            raise InvalidInputError("form", f"{shown(form)} is not one of {', '.join(_FORMS)}.")
        account, period = await self._period(account_id, since, until)
        layout = _FORMS[form](period)
        yield layout.head()
        last = period.closing.version
        for above in range(period.opening.version, last, _MOVEMENTS_PER_READ):
            rows = await self._between(account, above=above, up_to=min(above + _MOVEMENTS_PER_READ, last))
            movements = map(StatementMovement.of, rows)
            yield layout.lines(movements if actors else (structs.replace(each, actor=None) for each in movements))
        yield layout.foot()

    async def explain_transaction(self, account_id: str, transaction_id: str) -> TransactionExplanation:
        """Explains a transaction: its rules, its arithmetic, its grants, and what has happened to it since.

        Raises `AccountNotFoundError` and `TransactionNotFoundError`.
        """
        transaction_id = fields.text("transaction_id", transaction_id, fields.ID_LENGTH_MAX)

        def read(connection: Connection, account: Account) -> tuple[Transaction, RelatedTransactions] | None:
            row = accounts.find_transaction(connection, account, transaction_id)
            return None if row is None else (row, read_related_transactions(connection, account, row))

        context, found = await self._read_account_with(account_id, read)
        if found is None:
            raise TransactionNotFoundError(context.account.account_id, transaction_id)
        row, related = found
        return TransactionExplanation.of(explain_row(row, related.past, context.priced_by, is_cut=related.is_cut))

    async def explain_account(self, account_id: str) -> BalanceExplanation:
        """Explains the account's balance in at most twelve lines; raises `AccountNotFoundError`."""
        context, latest = await self._read_account_with(
            account_id,
            lambda connection, account: list_transactions_between(
                connection, account, above=max(0, account.seq - LATEST_MAX), up_to=account.seq
            ),
        )
        return BalanceExplanation.of(explain_balance(context, latest[::-1]))

    async def _period(self, account_id: str, since: datetime | None, until: datetime | None) -> tuple[Account, Period]:
        """The account, and the period of its statement with its opening and closing balance."""
        from_, up_to = fields.instant("since", since), fields.instant("until", until)
        context = await self._read_account(account_id)
        first, end = _bounds(context, from_, up_to)
        return await self._read_final(
            context, end - 1, lambda connection, account: _read_period(connection, account, first, end)
        )

    async def _read_final(
        self, context: DecisionContext, instant: int, read: Callable[[Connection, Account], T]
    ) -> tuple[Account, T]:
        """The account, and what `read` gives, once no more row can be written at or before an instant.

        A row gets its time before its commit, and never an earlier one than the last committed row. So a read at or
        after its instant takes the account's lock first: then every earlier command has committed or failed.
        """
        account = context.account
        if instant < account.last_at:
            return account, await self._read(lambda connection: read(connection, account))
        await self._submit(Request(account.account_id, Tick()))
        final, result = await self._read_account_with(account.account_id, read)
        return final.account, result

    async def _between(self, account: Account, *, above: int, up_to: int) -> list[Transaction]:
        return await self._read(
            lambda connection: list_transactions_between(connection, account, above=above, up_to=up_to)
        )

    def _statement(self, connection: Connection, account: Account, period: Period) -> CreditStatement:
        first, last = period.opening.version, period.closing.version
        if period.count > MOVEMENTS_MAX:
            (omitted,) = list_transactions_between(
                connection, account, above=last - MOVEMENTS_MAX - 1, up_to=last - MOVEMENTS_MAX
            )
            problem = f"{to_wire(period.since)} is {period.count} movements before until, more than {MOVEMENTS_MAX}."
            remedy = f"Send {to_wire(omitted.created_at + 1)} or later, or ask for text or CSV."
            raise InvalidInputError("since", f"{problem} {remedy}")
        rows = list_transactions_between(connection, account, above=first, up_to=last)
        return CreditStatement.of(Statement.of(period, rows, find_proof(connection, account, period)))


def _bounds(context: DecisionContext, since: int | None, until: int | None) -> tuple[int, int]:
    """The requested period. By default it ends now and includes the account's last transaction."""
    now = context.now
    end = now if now > context.account.last_at else min(now + 1, INSTANT_MAX)
    if until is not None and until > end:
        raise _future_error("until", until, context, "leave it out for all up to now")
    last = end if until is None else until
    first = max(0, last - DAYS * DAY) if since is None else since
    if first >= last:
        problem = f"{to_wire(first)} is not before until, {to_wire(last)}, which is left out. Send an earlier time."
        raise InvalidInputError("since", problem)
    return first, last


def _read_period(connection: Connection, account: Account, since: int, until: int) -> Period:
    """The period with its opening and closing balance."""
    return Period(
        account_id=account.account_id,
        since=since,
        until=until,
        opening=Figures.after(find_transaction_at(connection, account, since - 1)),
        closing=Figures.after(find_transaction_at(connection, account, until - 1)),
    )


def _future_error(field: str, instant: int, context: DecisionContext, remedy: str) -> InvalidInputError:
    now = to_wire(context.now)
    return InvalidInputError(
        field, f"{to_wire(instant)} is in the future: it is {now}. Send an earlier time, or {remedy}."
    )
