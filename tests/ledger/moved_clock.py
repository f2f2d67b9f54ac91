"""A clock that only the test moves, in microseconds since 1970 UTC."""

from datetime import UTC, datetime, timedelta

from sixpence.core.values.instant import SECOND, to_datetime

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class MovedClock:
    """Starts at START; the test may move it forward and back."""

    def __init__(self) -> None:
        self.at = int(START.timestamp()) * SECOND

    def __call__(self) -> int:
        """The time in microseconds."""
        return self.at

    @property
    def moment(self) -> datetime:
        """The time as a datetime."""
        return to_datetime(self.at)

    def move(self, **by: float) -> datetime:
        """Move by a timedelta's arguments, and return the new time."""
        self.at += timedelta(**by) // timedelta(microseconds=1)
        return self.moment
