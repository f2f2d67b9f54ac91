"""Calendar terms: the days, weeks, months or years of a subscription, counted from the instant it began.

Instants are microseconds UTC, so time zones and clock changes do not matter. Not here: what happens at a term's start
or end (`rules.terms`).
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
    """Return the instant at which the term of that index starts; INSTANT_MAX if that is after the year 9999.

    Months and years are counted from the anchor itself: the start has its time of day and its day of the month, or the
    month's last day where the month is shorter, so that terms from a 31st come back to the 31st.
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
    """Return the index of the term that contains an instant, which is not before the anchor.

    INSTANT_MAX, the end of the calendar, is in the last term that starts before it.
    """
    instant = max(anchor, min(instant, INSTANT_MAX - 1))
    if period in _DAYS:
        return (instant - anchor) // (_DAYS[period] * DAY)
    months = _month_of(_date_of(instant)) - _month_of(_date_of(anchor))
    if start_of(anchor, "month", months) > instant:
        months -= 1
    return months // _MONTHS[period]


def term_at(anchor: int, period: Period, instant: int) -> Term:
    """Return the term that contains an instant, which is not before the anchor."""
    index = index_at(anchor, period, instant)
    return Term(start_of(anchor, period, index), start_of(anchor, period, index + 1), index)


def share(allowance: int, month: int) -> int:
    """Return the share of a year's allowance for its month 1 to 12; the twelve shares add up to it."""
    return allowance * month // 12 - allowance * (month - 1) // 12


def prorated(allowance: int, *, left: int, whole: int) -> int:
    """Return the part of an allowance for the time `left` of the `whole` term, rounded down."""
    return allowance * left // whole


def _date_of(instant: int) -> date:
    return date.fromordinal(_EPOCH_DAY + instant // DAY)


def _month_of(day: date) -> int:
    return day.year * 12 + day.month - 1
