"""`CreditClock`: the clock of a ledger in tests, which only moves when a test moves it.

Not here: due changes, such as expiries. The next command or read of an account applies them, as in production.
"""

from datetime import UTC, datetime, timedelta
from math import inf

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import shown
from sixpence.core.values.instant import INSTANT_MAX, from_datetime, to_datetime

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CreditClock:
    """A clock for `Ledger(..., clock=clock)`: its time is 2026-03-01 12:00 UTC, or `at`, until a test moves it.

    When it moves, holds time out, grants expire and take effect, terms end, allowances come and roll over: each at its
    own instant, however large the step.
    """

    def __init__(self, at: datetime = START) -> None:
        self._instant = _instant_of("at", at)

    def __call__(self) -> int:
        """Its time in microseconds since 1970 UTC."""
        return self._instant

    def __repr__(self) -> str:
        return f"CreditClock({self.now().isoformat()})"

    def now(self) -> datetime:
        """Its time in UTC."""
        return to_datetime(self._instant)

    def move(
        self, *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move forward by this duration, and return the new time; raises `ValueError` for a negative one."""
        duration = _sum_of(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if duration < timedelta(0):
            raise ValueError(
                f"{duration} would set the clock back. To test that, use set_back() with a positive duration."
            )
        return self._set(self._instant + duration // _MICROSECOND)

    def move_to(self, moment: datetime) -> datetime:
        """Move forward to this moment, such as `next_allowance_at`; raises `ValueError` for one in the past.

        Raises `InvalidInputError` for a datetime without a zone.
        """
        instant = _instant_of("moment", moment)
        if instant < self._instant:
            problem = f"{moment.isoformat()} is before the clock's time, {self.now().isoformat()}."
            raise ValueError(f"{problem} To test that, use set_back().")
        return self._set(instant)

    def set_back(
        self, *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Set it back by this duration, as may happen to a server's clock; no account's time ever goes back."""
        duration = _sum_of(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if duration <= timedelta(0):
            raise ValueError(f"{duration} does not set the clock back. Give a positive duration, or use move().")
        return self._set(self._instant - duration // _MICROSECOND)

    def _set(self, instant: int) -> datetime:
        if not 0 <= instant <= INSTANT_MAX:
            raise InvalidInputError("moment", "the time is out of range. Keep the clock between 1970 and 9999.")
        self._instant = instant
        return self.now()


def _instant_of(field: str, moment: object) -> int:
    if not isinstance(moment, datetime):
        problem = f"{shown(moment)} is no datetime. Give one with a zone, such as datetime(2030, 1, 1, tzinfo=UTC)."
        raise InvalidInputError(field, problem)
    return from_datetime(field, moment)


def _sum_of(**parts: float) -> timedelta:
    """The sum of the parts; raises `InvalidInputError` for a part that is no number or too long."""
    for name, value in parts.items():
        if type(value) not in (int, float) or value in (inf, -inf) or value != value:
            raise InvalidInputError(name, f"{shown(value)} is no duration. Give a number, such as 1 or 0.5.")
    try:
        return timedelta(**parts)
    except OverflowError:
        given = ", ".join(name for name, value in parts.items() if value)
        raise InvalidInputError(given, "the duration is too long. Keep the clock between 1970 and 9999.") from None
