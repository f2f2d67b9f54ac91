"""The time of the next step: at once, a while later, or just around the next due instant."""

import calendar
from datetime import timedelta

from sixpence.core.values.instant import SECOND, to_datetime
from tests.core.reference import Reference
from tests.core.reference.due_changes import events
from tests.lockstep.choices import Choose

# Ends of months and of years, a leap day, the night before one.
BEGINNINGS = (
    1_706_659_200_000_000,  # 2024-01-31
    1_709_164_799_999_999,  # 2024-02-28, the last microsecond
    1_709_210_096_000_000,  # 2024-02-29 12:34:56
    1_735_603_200_000_000,  # 2024-12-31
    1_767_225_600_000_000,  # 2026-01-01
)
_DAY = 86_400 * SECOND
_WHILES = {"at once": 0, "a moment": 400, "a second": SECOND, "a minute": 60 * SECOND, "an hour": 3600 * SECOND}
_LONGER = {"a day": _DAY, "a week": 7 * _DAY, "set back": -3 * SECOND, "far set back": -2 * _DAY}
_DRIFTS = {"due": 0, "due soon": -1, "just past due": 1}
_CALENDAR = ("end of the month", "next month", "next year")
_PAUSES = [*(list(_WHILES) * 2), *["at once"] * 14, *_LONGER, *(list(_DRIFTS) * 3), *_CALENDAR[:2]]


def draw_clock(choose: Choose, clock: int, references: list[Reference]) -> int:
    """The clock at the next step."""
    pause = _CALENDAR[2] if choose(range(40)) == 39 else choose(_PAUSES)
    if pause in _DRIFTS:
        return max(0, draw_due(choose, clock, references) + _DRIFTS[pause])
    if pause in _CALENDAR:
        return _by_calendar(clock, pause)
    return max(0, clock + {**_WHILES, **_LONGER}[pause])


def draw_due(choose: Choose, clock: int, references: list[Reference]) -> int:
    """One of the next due instants, or the clock if nothing is due."""
    due = sorted({at for reference in references for at in _instants(reference) if at > clock})
    return choose(due[:3]) if due else clock


def draw_beginning(choose: Choose, clock: int | None) -> int:
    """A start time; after another scenario, a while after its end."""
    if clock is None:
        return choose(BEGINNINGS)
    return _by_calendar(clock, choose(_CALENDAR)) + choose([0, 1])


def _instants(reference: Reference) -> list[int]:
    """The instants at which something is due, or a use leaves the fair-use window."""
    leaves = [use.leaves_at() for uses in reference.memory.uses.values() for use in uses[-3:]]
    return [event[0] for event in events(reference.memory)] + leaves


def _by_calendar(clock: int, pause: str) -> int:
    moment = to_datetime(clock)
    if pause == "next year":
        return clock + 366 * _DAY
    days = calendar.monthrange(moment.year, moment.month)[1]
    if pause == "next month":
        return clock + days * _DAY
    end = moment.replace(day=days, hour=23, minute=59, second=59, microsecond=999_999)
    return clock + (end - moment) // timedelta(microseconds=1)
