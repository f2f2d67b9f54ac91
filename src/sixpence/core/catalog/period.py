"""Calendar terms: the days, weeks, months or years of a subscription, counted from the instant it began.

Instants are microseconds UTC, so no zone and no clock change has a say. What happens at a term's start or end is not
decided here.
"""

from calendar import monthrange
from datetime import date

import msgspec

from sixpence.core.catalog.catalog import Period
from sixpence.core.values.instant import DAY, INSTANT_MAX

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MONTHS_MAX = date.max.year * 12 + date.max.month - 1
_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


class Term(msgspec.Struct, frozen=True):
    """One period of a subscription: from `starts_at` up to, not including, `ends_at`; `index` counts from 0."""

    starts_at: int
    ends_at: int
    index: int


def start_of(anchor: int, period: Period, index: int) -> int:
    """The instant at which the term of that index starts; INSTANT_MAX for one that would start after the year 9999.

    Months and years are counted from the anchor itself: its time of day, and its day or the month's last where the
    month is too short, so that a start on the 31st comes back to the 31st.
    """
    if period in _DAYS:
        return min(anchor + index * _DAYS[period] * DAY, INSTANT_MAX)
    began = _date_of(anchor)
    months = _month_of(began) + index * _MONTHS[period]
    if months > _MONTHS_MAX:
        return INSTANT_MAX
    year, month = months // 12, months % 12 + 1
    start = date(year, month, min(began.day, monthrange(year, month)[1]))
    return anchor + (start.toordinal() - began.toordinal()) * DAY


def index_at(anchor: int, period: Period, instant: int) -> int:
    """The index of the term that holds an instant, which is not before the anchor.

    INSTANT_MAX, where time ends, is in the last term that starts before it.
    """
    instant = max(anchor, min(instant, INSTANT_MAX - 1))
    if period in _DAYS:
        return (instant - anchor) // (_DAYS[period] * DAY)
    months = _month_of(_date_of(instant)) - _month_of(_date_of(anchor))
    if start_of(anchor, "month", months) > instant:
        months -= 1
    return months // _MONTHS[period]


def term_at(anchor: int, period: Period, instant: int) -> Term:
    """The term that holds an instant, which is not before the anchor."""
    index = index_at(anchor, period, instant)
    return Term(start_of(anchor, period, index), start_of(anchor, period, index + 1), index)


def share(allowance: int, month: int) -> int:
    """What a year's allowance drips in its month 1 to 12; the twelve shares add up to it."""
    return allowance * month // 12 - allowance * (month - 1) // 12


def prorated(allowance: int, *, left: int, whole: int) -> int:
    """The part of an allowance for what is `left` of the `whole` of its time, rounded down."""
    return allowance * left // whole


def _date_of(instant: int) -> date:
    return date.fromordinal(_EPOCH_DAY + instant // DAY)


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1
