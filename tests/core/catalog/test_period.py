"""Calendar terms: month ends, leap days and the last year, by the table cases/period.txt and by what always holds."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.catalog.catalog import Period
from sixpence.core.catalog.period import Term, index_at, prorated, share, start_of, term_at
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import INSTANT_MAX, from_wire, to_datetime, to_wire
from tests.core.case_table import CASES, Case, read_cases

_CASES = read_cases(CASES / "period.txt")
_PERIODS: tuple[Period, ...] = get_args(Period)
_periods = st.sampled_from(_PERIODS)
_anchors = st.integers(0, INSTANT_MAX) | st.dates(date(1970, 1, 1)).map(
    lambda day: from_wire("day", f"{day.isoformat()}T23:59:59.999999Z")
)
_indexes = st.integers(0, 100) | st.integers(0, 100_000)
_allowances = st.integers(0, AMOUNT_MAX) | st.integers(0, 40)


@pytest.mark.parametrize("case", _CASES, ids=lambda case: case.place)
def test_case(case: Case) -> None:
    """The term starts, or holds the instant, as the line states."""
    name, _, anchor_text = case.state.partition(" from ")
    period = next(period for period in _PERIODS if period == name)
    anchor = from_wire("anchor", anchor_text)
    word, _, asked = case.command.partition(" ")

    if word == "+":
        assert to_wire(start_of(anchor, period, int(asked))) == to_wire(from_wire("start", case.outcome))
    else:
        index, _, terms = case.outcome.partition(": ")
        starts_at, ends_at = (from_wire("term", text) for text in terms.split(" to "))
        assert term_at(anchor, period, from_wire("instant", asked)) == Term(starts_at, ends_at, int(index))


@settings(deadline=None)
@given(_anchors, _periods, _indexes)
def test_a_term_starts_where_a_calendar_says(anchor: int, period: Period, index: int) -> None:
    """Counted by hand on Python's own calendar, the start is the same."""
    start = start_of(anchor, period, index)

    assert to_wire(start) == to_wire(_counted_by_hand(anchor, period, index))


@settings(deadline=None)
@given(_anchors, _periods, _indexes)
def test_a_later_term_starts_later(anchor: int, period: Period, index: int) -> None:
    """Each term ends after it starts, until the calendar ends; its first instant is its own, its end is not."""
    start, end = start_of(anchor, period, index), start_of(anchor, period, index + 1)

    assert start < end or start == end == INSTANT_MAX
    if start < INSTANT_MAX:
        assert index_at(anchor, period, start) == index
        assert index_at(anchor, period, end - 1) == index
    if end < INSTANT_MAX:
        assert index_at(anchor, period, end) == index + 1


@settings(deadline=None)
@given(_anchors, _periods, st.integers(0, INSTANT_MAX))
def test_term_at_contains_its_instant(anchor: int, period: Period, instant: int) -> None:
    """Any instant is in the term that is found for it."""
    anchor, instant = sorted((anchor, instant))

    term = term_at(anchor, period, instant)

    assert term.starts_at <= instant
    assert instant < term.ends_at or instant == INSTANT_MAX
    assert term == Term(
        start_of(anchor, period, term.index),
        start_of(anchor, period, term.index + 1),
        index_at(anchor, period, instant),
    )


@pytest.mark.parametrize(
    ("allowance", "shares"),
    [
        (0, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        (1, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (5, [0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 1]),
        (12, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]),
        (100, [8, 8, 9, 8, 8, 9, 8, 8, 9, 8, 8, 9]),
        (1_200, [100] * 12),
    ],
)
def test_share(allowance: int, shares: list[int]) -> None:
    """A year's allowance in twelve shares, month by month."""
    assert [share(allowance, month) for month in range(1, 13)] == shares


@settings(deadline=None)
@given(_allowances)
def test_shares_add_up_to_the_allowance(allowance: int) -> None:
    """The twelve shares differ by one at most and add up to the whole."""
    shares = [share(allowance, month) for month in range(1, 13)]

    assert sum(shares) == allowance
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("allowance", "left", "whole", "part"),
    [(100, 30, 30, 100), (100, 15, 30, 50), (100, 10, 30, 33), (100, 20, 30, 66), (100, 0, 30, 0), (1, 29, 30, 0)],
)
def test_prorated(allowance: int, left: int, whole: int, part: int) -> None:
    """In proportion, rounded down."""
    assert prorated(allowance, left=left, whole=whole) == part


def test_prorated_largest_allowance_is_exact() -> None:
    """One microsecond less of a year takes its exact part, where a float would lose the difference."""
    year = 365 * 86_400 * 1_000_000

    assert prorated(AMOUNT_MAX, left=year - 1, whole=year) == AMOUNT_MAX - 286
    assert prorated(AMOUNT_MAX, left=year, whole=year) == AMOUNT_MAX


def _counted_by_hand(anchor: int, period: Period, index: int) -> int:
    """The start of a term by the rule as a person would apply it, with a calendar in hand."""
    moment = to_datetime(anchor)
    try:
        if period in ("day", "week"):
            start = moment + timedelta(days=index if period == "day" else 7 * index)
        else:
            years, months = divmod(index, 12) if period == "month" else (index, 0)
            past_december = moment.month + months > 12
            start = _with_day_that_exists(
                moment, moment.year + years + past_december, moment.month + months - 12 * past_december
            )
    except (OverflowError, ValueError):
        return INSTANT_MAX
    return (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _with_day_that_exists(moment: datetime, year: int, month: int) -> datetime:
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month)
