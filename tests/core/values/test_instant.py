"""Instants: microseconds inside, ISO 8601 on the wire, and no guessed zone."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.instant import DAY, INSTANT_MAX, SECOND, from_datetime, from_wire, to_datetime, to_wire


class _NoOffset(tzinfo):
    """A zone that does not know where it is."""

    def utcoffset(self, _moment: datetime | None) -> None:
        """No offset."""

    def dst(self, _moment: datetime | None) -> None:
        """No daylight saving."""

    def tzname(self, _moment: datetime | None) -> None:
        """No name."""


@pytest.mark.parametrize(
    ("instant", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1, "1970-01-01T00:00:00.000001Z"),
        (1_769_851_800 * SECOND, "2026-01-31T09:30:00.000000Z"),
        (1_709_164_800 * SECOND, "2024-02-29T00:00:00.000000Z"),
        (INSTANT_MAX, "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_to_wire_and_from_wire_are_inverse(instant: int, text: str) -> None:
    """Always UTC, always six digits, and back again."""
    assert to_wire(instant) == text
    assert from_wire("at", text) == instant


@pytest.mark.parametrize(
    "text",
    ["2026-01-31T09:30:00Z", "2026-01-31T10:30:00+01:00", "2026-01-31 04:30-05:00", "20260131T093000Z"],
)
def test_from_wire_accepts_any_offset(text: str) -> None:
    """Any ISO 8601 time with an offset is accepted."""
    assert from_wire("at", text) == 1_769_851_800 * SECOND


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "'' is not a time. Send one like 2026-01-31T09:30:00Z."),
        ("soon", "'soon' is not a time. Send one like 2026-01-31T09:30:00Z."),
        ("2026-02-29T00:00:00Z", "'2026-02-29T00:00:00Z' is not a time. Send one like 2026-01-31T09:30:00Z."),
        ("2026-01-31", "2026-01-31T00:00:00 has no time zone. Add one, such as Z for UTC."),
        ("2026-01-31T09:30:00", "2026-01-31T09:30:00 has no time zone. Add one, such as Z for UTC."),
        ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59+00:00 is out of range. Send a time from 1970 to 9999."),
        ("1970-01-01T00:00:00+01:00", "1970-01-01T00:00:00+01:00 is out of range. Send a time from 1970 to 9999."),
        ("9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59-01:00 is out of range. Send a time from 1970 to 9999."),
        ("0001-01-01T00:00:00+12:00", "0001-01-01T00:00:00+12:00 is out of range. Send a time from 1970 to 9999."),
    ],
)
def test_from_wire_refuses_other_texts(text: str, problem: str) -> None:
    """Not a time, no zone, or out of range: the message names the field and what to send."""
    with pytest.raises(InvalidInputError) as caught:
        from_wire("expires_at", text)

    assert caught.value == InvalidInputError("expires_at", problem)


@pytest.mark.parametrize("value", [5, None, b"2026-01-31T09:30:00Z"])
def test_from_wire_refuses_other_types(value: object) -> None:
    """A number is not a time: its unit would be a guess."""
    with pytest.raises(InvalidInputError, match="is not a time"):
        from_wire("at", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("zone", [None, _NoOffset()], ids=["none", "without-offset"])
def test_from_datetime_refuses_a_naive_datetime(zone: tzinfo | None) -> None:
    """The machine's own zone is never used."""
    with pytest.raises(InvalidInputError, match="has no time zone"):
        from_datetime("at", datetime(2026, 1, 31, tzinfo=zone))


def test_day_is_a_calendar_day() -> None:
    """A day after an instant is the same time on the next day of the calendar."""
    assert to_datetime(DAY) == datetime(1970, 1, 2, tzinfo=UTC)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(0, INSTANT_MAX), st.integers(-23, 23))
def test_no_instant_is_rounded(instant: int, hours: int) -> None:
    """Every microsecond survives the trip through text and through a datetime of any zone."""
    moment = to_datetime(instant)

    assert from_wire("at", to_wire(instant)) == instant
    assert from_datetime("at", moment) == instant
    if timedelta(days=1) < moment - datetime(1, 1, 1, tzinfo=UTC) and instant < INSTANT_MAX - DAY:
        assert from_datetime("at", moment.astimezone(timezone(timedelta(hours=hours)))) == instant
