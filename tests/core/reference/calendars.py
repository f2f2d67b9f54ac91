"""Calendar periods, counted with Python's own calendar and without Sixpence's code."""

import calendar
from datetime import UTC, datetime, timedelta

DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def boundary(anchor: int, period: str, count: int) -> int:
    """The instant `count` periods after the anchor; a day that the month has not is the month's last."""
    moment = _EPOCH + timedelta(microseconds=anchor)
    match period:
        case "day":
            moment += timedelta(days=count)
        case "week":
            moment += timedelta(weeks=count)
        case "month":
            moment = _months_later(moment, count)
        case "year":
            moment = _months_later(moment, 12 * count)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = moment.year, moment.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    last = calendar.monthrange(year, month)[1]
    return moment.replace(year=year, month=month, day=min(moment.day, last))
