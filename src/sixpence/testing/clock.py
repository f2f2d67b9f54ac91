"""`CreditClock`: the time that counts for a ledger, which stands still until a test moves it.

Not here: what is due by then. That happens at the next command or read of an account, in tests as in production.
"""

from datetime import UTC, datetime, timedelta
from math import inf

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import shown
from sixpence.core.values.instant import INSTANT_MAX, from_datetime, to_datetime

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CreditClock:
    """A clock for `Ledger(..., clock=clock)`: it reads 2026-03-01 12:00 UTC, or `at`, until it is moved.

    Holds time out, grants expire and take effect, terms end, allowances come and roll over as it moves, each at its own
    instant, however far it moved at once.
    """

    def __init__(self, at: datetime = START) -> None:
        self._instant = _instant_of("at", at)

    def __call__(self) -> int:
        """What it reads, in microseconds since 1970 UTC."""
        return self._instant

    def __repr__(self) -> str:
        return f"CreditClock({self.now().isoformat()})"

    def now(self) -> datetime:
        """What it reads, in UTC."""
        return to_datetime(self._instant)

    def move(
        self, *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Move on by so much, and give what it then reads; raises `ValueError` for less than nothing."""
        by = _sum_of(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if by < timedelta(0):
            raise ValueError(
                f"{by} would set the clock back. If that is what you test: set_back(), by more than nothing."
            )
        return self._set(self._instant + by // _MICROSECOND)

    def move_to(self, moment: datetime) -> datetime:
        """Move on to this moment, such as `next_allowance_at`; raises `ValueError` for one that is over.

        Raises `InvalidInputError` for a datetime without a zone.
        """
        instant = _instant_of("moment", moment)
        if instant < self._instant:
            problem = f"{moment.isoformat()} is before {self.now().isoformat()}, which the clock reads."
            raise ValueError(f"{problem} If that is what you test: set_back().")
        return self._set(instant)

    def set_back(
        self, *, weeks: float = 0, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0
    ) -> datetime:
        """Set it back by so much, as a server's clock may be; no account goes back with it, as its time never does."""
        by = _sum_of(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
        if by <= timedelta(0):
            raise ValueError(f"{by} does not set the clock back. Say by how much, or move().")
        return self._set(self._instant - by // _MICROSECOND)

    def _set(self, instant: int) -> datetime:
        if not 0 <= instant <= INSTANT_MAX:
            raise InvalidInputError("moment", "would be out of range. Keep the clock between 1970 and 9999.")
        self._instant = instant
        return self.now()


def _instant_of(field: str, moment: object) -> int:
    if not isinstance(moment, datetime):
        problem = f"{shown(moment)} is no datetime. Give one with a zone, such as datetime(2030, 1, 1, tzinfo=UTC)."
        raise InvalidInputError(field, problem)
    return from_datetime(field, moment)


def _sum_of(**parts: float) -> timedelta:
    """All of it together; raises `InvalidInputError` naming the part that is no number, or too long."""
    for name, value in parts.items():
        if type(value) not in (int, float) or value in (inf, -inf) or value != value:
            raise InvalidInputError(name, f"{shown(value)} is no length of time. Give a number, such as 1 or 0.5.")
    try:
        return timedelta(**parts)
    except OverflowError:
        given = ", ".join(name for name, value in parts.items() if value)
        raise InvalidInputError(given, "is too long a time. Keep the clock between 1970 and 9999.") from None
