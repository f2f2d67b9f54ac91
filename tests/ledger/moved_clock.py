"""A clock that a test moves: microseconds since 1970 UTC, standing still in between."""

from datetime import UTC, datetime, timedelta

from sixpence.core.values.instant import SECOND, to_datetime

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class MovedClock:
    """Reads START until it is moved; it may be moved back, too."""

    def __init__(self) -> None:
        self.at = int(START.timestamp()) * SECOND

    def __call__(self) -> int:
        """What it reads, in microseconds."""
        return self.at

    @property
    def moment(self) -> datetime:
        """What it reads, as a datetime."""
        return to_datetime(self.at)

    def move(self, **by: float) -> datetime:
        """Moves by a timedelta's arguments, and gives what it then reads."""
        self.at += timedelta(**by) // timedelta(microseconds=1)
        return self.moment
