"""Usage by day: an account's uses of each feature, as a relay has counted them (`sixpence.ledger.relay`).

Not here: balances. The counts may lag the ledger; `complete_until` says up to when they are complete.
"""

from datetime import date, datetime, timedelta
from typing import Self

import msgspec
from sqlalchemy import Connection

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.core.values.bounds import shown
from sixpence.core.values.instant import to_datetime
from sixpence.core.values.wire_value import WireValue
from sixpence.ledger.reads import accounts, outbox
from sixpence.ledger.reads.usage import DayRow, list_usage
from sixpence.service.operations.base import Operations
from sixpence.service.requests import fields

DAYS = 30
DAYS_MAX = 366

_FIRST = date(1970, 1, 1)


class DayUsage(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """The usage of a feature on a day in UTC.

    A refund counts on the day it was made, so a day's refunds may exceed its uses.
    """

    day: date
    feature: str
    uses: int
    credits_consumed: int
    credits_refunded: int

    @classmethod
    def of(cls, row: DayRow) -> Self:
        """The usage of a `usage_daily` row."""
        return cls(
            day=_FIRST + timedelta(days=row.day),
            feature=row.feature,
            uses=row.uses,
            credits_consumed=row.credits_consumed,
            credits_refunded=row.credits_refunded,
        )


class CreditUsage(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """An account's usage from the day `since` up to the day `until`, which is excluded; newest day first.

    Every transaction before `complete_until` is counted; newer ones may be.
    """

    account_id: str
    since: date
    until: date
    days: list[DayUsage]
    complete_until: datetime


class UsageOperations(Operations):
    """The read of usage by day."""

    async def get_usage(self, account_id: str, *, since: date | None = None, until: date | None = None) -> CreditUsage:
        """The account's usage of each feature from `since` up to `until` (excluded), days in UTC, 366 at most.

        By default the last 30 days, including today. A relay counts afterwards: `complete_until` says up to when.
        Raises `AccountNotFoundError`.
        """
        account_id = fields.account_id(account_id)
        _check_day("since", since)
        _check_day("until", until)
        return await self._read(lambda connection: self._usage(connection, account_id, since, until))

    def _usage(self, connection: Connection, account_id: str, since: date | None, until: date | None) -> CreditUsage:
        account = accounts.find_account(connection, account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        now = self._ledger.now(connection)
        first, end = _period(since, until, today=to_datetime(now).date())
        # Read the instant first: then the counts are at least as new.
        complete_until = outbox.read_complete_until(connection, now)
        rows = list_usage(connection, account.account_no, since=(first - _FIRST).days, until=(end - _FIRST).days)
        return CreditUsage(
            account_id=account_id,
            since=first,
            until=end,
            days=[DayUsage.of(row) for row in rows],
            complete_until=to_datetime(complete_until),
        )


def _check_day(field: str, day: object) -> None:
    """Refuses other values than a date. A datetime is refused too: its day depends on the time zone."""
    if day is None:
        return
    if not isinstance(day, date) or isinstance(day, datetime):
        raise InvalidInputError(field, f"{shown(day)} is not a date. Send one like datetime.date(2026, 11, 1).")
    if day < _FIRST:
        raise InvalidInputError(field, f"{day.isoformat()} is out of range. Send a day from 1970 on.")


def _period(since: date | None, until: date | None, *, today: date) -> tuple[date, date]:
    """The requested days: from the first up to the second, which is excluded."""
    end = until or today + timedelta(days=1)
    first = since or end - timedelta(days=DAYS)
    if first >= end:
        problem = f"{first.isoformat()} is not before until, {end.isoformat()}, which is left out. Send an earlier day."
        raise InvalidInputError("since", problem)
    if (end - first).days > DAYS_MAX:
        problem = f"{first.isoformat()} is {(end - first).days} days before until, {end.isoformat()}."
        raise InvalidInputError("since", f"{problem} Send {DAYS_MAX} days at most.")
    return first, end
