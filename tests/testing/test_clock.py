"""`CreditClock`: it moves only by `move` and `move_to`, and goes back only by `set_back`."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.testing import CreditClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_clock_does_not_move_by_itself() -> None:
    """Its time is the same until a test moves it, as a datetime and in microseconds."""
    clock = CreditClock()

    read = [clock.now(), clock.now()]

    assert (read, clock(), repr(clock)) == ([NOON] * 2, 1_772_366_400_000_000, "CreditClock(2026-03-01T12:00:00+00:00)")


def test_clock_starts_at_given_moment() -> None:
    """Any moment, in any zone."""
    clock = CreditClock(datetime(2028, 2, 29, 1, 30, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == datetime(2028, 2, 28, 23, 30, tzinfo=UTC)


def test_move_by_duration() -> None:
    """Weeks to fractions of a second are added up."""
    clock = CreditClock()

    moved = clock.move(weeks=1, days=2, hours=3, minutes=4, seconds=5.000006)

    assert (moved, clock.now()) == (datetime(2026, 3, 10, 15, 4, 5, 6, tzinfo=UTC),) * 2


def test_move_to_moment() -> None:
    """The current time is valid, too."""
    clock = CreditClock()

    moved = [clock.move_to(NOON), clock.move_to(NOON + timedelta(days=40))]

    assert moved == [NOON, datetime(2026, 4, 10, 12, 0, tzinfo=UTC)]


def test_move_refuses_to_go_back() -> None:
    """Neither a past moment nor a negative duration moves the clock."""
    clock = CreditClock()

    with pytest.raises(ValueError) as by:
        clock.move(days=1, hours=-25)
    with pytest.raises(ValueError) as to:
        clock.move_to(NOON - timedelta(seconds=1))

    assert str(by.value) == (
        "-1 day, 23:00:00 would set the clock back. To test that, use set_back() with a positive duration."
    )
    assert str(to.value) == (
        "2026-03-01T11:59:59+00:00 is before the clock's time, 2026-03-01T12:00:00+00:00. To test that, use set_back()."
    )
    assert clock.now() == NOON


def test_set_back_by_duration() -> None:
    """The duration must be positive."""
    clock = CreditClock()

    back = clock.set_back(hours=1)
    with pytest.raises(ValueError, match="does not set the clock back"):
        clock.set_back()

    assert (back, clock.now()) == (NOON - timedelta(hours=1),) * 2


def test_move_to_refuses_moment_without_zone() -> None:
    """Its instant would be a guess."""
    with pytest.raises(InvalidInputError, match="has no time zone"):
        CreditClock().move_to(datetime(2026, 4, 1, 12, 0))  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize("moment", ["2030-01-01", None, 5])
def test_clock_refuses_moment_that_is_no_datetime(moment: Any) -> None:
    """The message has the value and an example, for the start and for a move."""
    clock = CreditClock()

    with pytest.raises(InvalidInputError) as to:
        clock.move_to(moment)
    with pytest.raises(InvalidInputError) as at:
        CreditClock(moment)

    problem = f"{moment!r} is no datetime. Give one with a zone, such as datetime(2030, 1, 1, tzinfo=UTC)."
    assert (str(to.value), str(at.value), clock.now()) == (f"moment: {problem}", f"at: {problem}", NOON)


@pytest.mark.parametrize("days", [float("nan"), float("inf"), "1", None, True])
def test_move_refuses_invalid_duration(days: Any) -> None:
    """In both directions, and the clock does not move."""
    clock = CreditClock()

    for move in (clock.move, clock.set_back):
        with pytest.raises(InvalidInputError) as refused:
            move(days=days)
        assert str(refused.value) == f"days: {days!r} is no duration. Give a number, such as 1 or 0.5."

    assert clock.now() == NOON


@pytest.mark.parametrize(
    "length", [{"days": 10_000_000}, {"weeks": 1e300}, {"weeks": 1e8, "days": 5e8}, {"seconds": 10**400}]
)
def test_clock_stays_between_1970_and_9999(length: Any) -> None:
    """Times outside the range of datetime are refused, in both directions."""
    clock = CreditClock()

    for move in (clock.move, clock.set_back):
        with pytest.raises(InvalidInputError, match="Keep the clock between 1970 and 9999"):
            move(**length)

    assert clock.now() == NOON
