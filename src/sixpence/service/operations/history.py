"""Looking back: what an account had at an instant, its statement for a period, and why things are as they are.

Every look brings the account up to date first, so that what was due by an instant is counted at it. Where something may
still be on its way into the ledger at or before that instant, it is waited for: what was told once stays true.
"""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import TransactionNotFoundError
from sixpence.core.reports.account_explanation import LATEST_MAX, explained_account
from sixpence.core.reports.explanation import explained
from sixpence.core.reports.statement import Figures, Period, Statement, StatementMovement
from sixpence.core.reports.statement_csv import StatementCSV
from sixpence.core.reports.statement_text import StatementText
from sixpence.core.rules.context import Scene
from sixpence.core.values.bounds import shown
from sixpence.core.values.instant import DAY, INSTANT_MAX, to_datetime, to_wire
from sixpence.ledger.checkpoints.statement_proofs import find_proof
from sixpence.ledger.reads import accounts
from sixpence.ledger.reads.point_in_time import Surroundings, find_last_at, list_between, look_around
from sixpence.ledger.writer.batch import Request
from sixpence.service.operations.base import Operations, nothing_more
from sixpence.service.requests import fields
from sixpence.service.results.statements import BalanceExplanation, CreditStatement, PastBalance, TransactionExplanation

T = TypeVar("T")
DAYS = 30
# What a statement as data may hold; as text and CSV it is written in pieces and may have any length.
MOVEMENTS_MAX = 10_000
_MOVEMENTS_A_PIECE = 500
_FORMS: dict[str, type[StatementText | StatementCSV]] = {"text": StatementText, "csv": StatementCSV}


class LookingBack(Operations):
    """The operations that tell what was, and why."""

    async def balance_at(self, account_id: str, at: datetime | None = None) -> PastBalance:
        """What the account had at an instant, after everything that happened up to it; now where nothing is said.

        Before its first transaction that is 0, at version 0. An instant in the future is refused. Raises
        `AccountNotFoundError`, and `AccountBusyError` while a transaction that is not over holds the account.
        """
        instant = fields.instant("at", at)
        scene, _ = await self._standing(account_id, nothing_more)
        if instant is not None and instant > scene.now:
            raise _in_the_future("at", instant, scene, "leave it out for the balance now")
        upper = scene.now if instant is None else instant
        account, row = await self._settled(
            scene, upper, lambda connection, account: find_last_at(connection, account, upper)
        )
        return PastBalance.of(account.account_id, to_datetime(upper), row)

    async def get_statement(
        self, account_id: str, *, since: datetime | None = None, until: datetime | None = None
    ) -> CreditStatement:
        """What the account had right before `since`, each movement from then on, and what it had right before `until`.

        Without times the last 30 days up to now. With more than 10,000 movements it is refused; `stream_statement` has
        no such bound. Raises `AccountNotFoundError`, and `AccountBusyError` while a transaction that is not over holds
        the account.
        """
        account, period = await self._period(account_id, since, until)
        return await self._read(lambda connection: self._statement(connection, account, period))

    async def stream_statement(
        self, account_id: str, *, since: datetime | None = None, until: datetime | None = None, form: str = "text"
    ) -> AsyncIterator[str]:
        """The same statement, however long, as a `text` for people or as `csv`, in pieces to be put together.

        Raises with its first piece what `get_statement` raises.
        """
        if form not in _FORMS:
            raise InvalidInputError("form", f"{shown(form)} is none of {', '.join(_FORMS)}.")
        account, period = await self._period(account_id, since, until)
        layout = _FORMS[form](period)
        yield layout.head()
        last = period.closing.version
        for above in range(period.opening.version, last, _MOVEMENTS_A_PIECE):
            rows = await self._between(account, above=above, up_to=min(above + _MOVEMENTS_A_PIECE, last))
            yield layout.lines(map(StatementMovement.of, rows))
        yield layout.foot()

    async def explain_transaction(self, account_id: str, transaction_id: str) -> TransactionExplanation:
        """Why a transaction is what it is: its rules, its arithmetic, its grants, and what came of it since.

        Raises `AccountNotFoundError` and `TransactionNotFoundError`.
        """
        transaction_id = fields.text("transaction_id", transaction_id, fields.ID_LENGTH_MAX)

        def look(connection: Connection, account: Account) -> tuple[Transaction, Surroundings] | None:
            row = accounts.find_transaction(connection, account, transaction_id)
            return None if row is None else (row, look_around(connection, account, row))

        scene, found = await self._standing(account_id, look)
        if found is None:
            raise TransactionNotFoundError(scene.account.account_id, transaction_id)
        row, around = found
        return TransactionExplanation.of(explained(row, around.past, scene.priced_by, is_cut=around.is_cut))

    async def explain_account(self, account_id: str) -> BalanceExplanation:
        """Why the account's balance is what it is, in twelve lines at most; raises `AccountNotFoundError`."""
        scene, latest = await self._standing(
            account_id,
            lambda connection, account: list_between(
                connection, account, above=max(0, account.seq - LATEST_MAX), up_to=account.seq
            ),
        )
        return BalanceExplanation.of(explained_account(scene, latest[::-1]))

    async def _period(self, account_id: str, since: datetime | None, until: datetime | None) -> tuple[Account, Period]:
        """The account as it stands, and the frame of its statement."""
        from_, up_to = fields.instant("since", since), fields.instant("until", until)
        scene, _ = await self._standing(account_id, nothing_more)
        first, end = _bounds(scene, from_, up_to)
        return await self._settled(scene, end - 1, lambda connection, account: _frame(connection, account, first, end))

    async def _settled(self, scene: Scene, instant: int, look: Callable[[Connection, Account], T]) -> tuple[Account, T]:
        """The account once nothing more can come at or before an instant that is not in the future, and a look at it.

        A row has its time before it is committed, and no earlier one than the last row that is. Whoever looks at a
        later instant waits for the account's lock first: whatever had it is then in the ledger, or never will be.
        """
        account = scene.account
        if instant < account.last_at:
            return account, await self._read(lambda connection: look(connection, account))
        await self._submit(Request(account.account_id, Tick()))
        settled, seen = await self._standing(account.account_id, look)
        return settled.account, seen

    async def _between(self, account: Account, *, above: int, up_to: int) -> list[Transaction]:
        return await self._read(lambda connection: list_between(connection, account, above=above, up_to=up_to))

    def _statement(self, connection: Connection, account: Account, period: Period) -> CreditStatement:
        first, last = period.opening.version, period.closing.version
        if period.count > MOVEMENTS_MAX:
            (left_out,) = list_between(connection, account, above=last - MOVEMENTS_MAX - 1, up_to=last - MOVEMENTS_MAX)
            problem = f"{to_wire(period.since)} is {period.count} movements before until, more than {MOVEMENTS_MAX}."
            remedy = f"Send {to_wire(left_out.created_at + 1)} or later, or ask for text or CSV."
            raise InvalidInputError("since", f"{problem} {remedy}")
        rows = list_between(connection, account, above=first, up_to=last)
        return CreditStatement.of(Statement.of(period, rows, find_proof(connection, account, period)))


def _bounds(scene: Scene, since: int | None, until: int | None) -> tuple[int, int]:
    """The period that is asked for; it ends now at the latest, with the account's last transaction in it."""
    end = scene.now if scene.now > scene.account.last_at else min(scene.now + 1, INSTANT_MAX)
    if until is not None and until > end:
        raise _in_the_future("until", until, scene, "leave it out for all up to now")
    last = end if until is None else until
    first = max(0, last - DAYS * DAY) if since is None else since
    if first >= last:
        problem = f"{to_wire(first)} is not before until, {to_wire(last)}, which is left out. Send an earlier time."
        raise InvalidInputError("since", problem)
    return first, last


def _frame(connection: Connection, account: Account, since: int, until: int) -> Period:
    """What there was at both ends of the period."""
    return Period(
        account_id=account.account_id,
        since=since,
        until=until,
        opening=Figures.after(find_last_at(connection, account, since - 1)),
        closing=Figures.after(find_last_at(connection, account, until - 1)),
    )


def _in_the_future(field: str, instant: int, scene: Scene, remedy: str) -> InvalidInputError:
    now = to_wire(scene.now)
    return InvalidInputError(
        field, f"{to_wire(instant)} is in the future: it is {now}. Send an earlier time, or {remedy}."
    )
