"""The clock of the test kit: it stands still, moves on, and goes back only where that is said."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.testing import CreditClock

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def test_it_stands_still() -> None:
    """It reads the same until it is moved, as a datetime and in microseconds."""
    clock = CreditClock()

    read = [clock.now(), clock.now()]

    assert (read, clock(), repr(clock)) == ([NOON] * 2, 1_772_366_400_000_000, "CreditClock(2026-03-01T12:00:00+00:00)")


def test_it_begins_where_it_is_told_to() -> None:
    """Any moment will do, in any zone."""
    clock = CreditClock(datetime(2028, 2, 29, 1, 30, tzinfo=timezone(timedelta(hours=2))))

    assert clock.now() == datetime(2028, 2, 28, 23, 30, tzinfo=UTC)


def test_it_moves_by_what_it_is_told() -> None:
    """Weeks to parts of a second, all together."""
    clock = CreditClock()

    moved = clock.move(weeks=1, days=2, hours=3, minutes=4, seconds=5.000006)

    assert (moved, clock.now()) == (datetime(2026, 3, 10, 15, 4, 5, 6, tzinfo=UTC),) * 2


def test_it_moves_to_a_moment() -> None:
    """The one it reads will do, too."""
    clock = CreditClock()

    moved = [clock.move_to(NOON), clock.move_to(NOON + timedelta(days=40))]

    assert moved == [NOON, datetime(2026, 4, 10, 12, 0, tzinfo=UTC)]


def test_it_does_not_go_back_unsaid() -> None:
    """A move to what is over, or by less than nothing, is refused and moves nothing."""
    clock = CreditClock()

    with pytest.raises(ValueError) as by:
        clock.move(days=1, hours=-25)
    with pytest.raises(ValueError) as to:
        clock.move_to(NOON - timedelta(seconds=1))

    assert str(by.value) == (
        "-1 day, 23:00:00 would set the clock back. If that is what you test: set_back(), by more than nothing."
    )
    assert str(to.value) == (
        "2026-03-01T11:59:59+00:00 is before 2026-03-01T12:00:00+00:00, which the clock reads."
        " If that is what you test: set_back()."
    )
    assert clock.now() == NOON


def test_it_goes_back_when_told_to() -> None:
    """By as much as is said, which has to be something."""
    clock = CreditClock()

    back = clock.set_back(hours=1)
    with pytest.raises(ValueError, match="does not set the clock back"):
        clock.set_back()

    assert (back, clock.now()) == (NOON - timedelta(hours=1),) * 2


def test_a_moment_without_a_zone_is_refused() -> None:
    """Which noon it is would be a guess."""
    with pytest.raises(InvalidInputError, match="has no time zone"):
        CreditClock().move_to(datetime(2026, 4, 1, 12, 0))  # noqa: DTZ001 - that is what is refused


@pytest.mark.parametrize("moment", ["2030-01-01", None, 5])
def test_a_moment_that_is_no_datetime_is_refused(moment: Any) -> None:
    """In words that name it and show one, where the clock begins and where it moves to."""
    clock = CreditClock()

    with pytest.raises(InvalidInputError) as to:
        clock.move_to(moment)
    with pytest.raises(InvalidInputError) as at:
        CreditClock(moment)

    says = f"{moment!r} is no datetime. Give one with a zone, such as datetime(2030, 1, 1, tzinfo=UTC)."
    assert (str(to.value), str(at.value), clock.now()) == (f"moment: {says}", f"at: {says}", NOON)


@pytest.mark.parametrize("days", [float("nan"), float("inf"), "1", None, True])
def test_a_length_that_is_none_is_refused(days: Any) -> None:
    """Either way, and moves nothing."""
    clock = CreditClock()

    for move in (clock.move, clock.set_back):
        with pytest.raises(InvalidInputError) as refused:
            move(days=days)
        assert str(refused.value) == f"days: {days!r} is no length of time. Give a number, such as 1 or 0.5."

    assert clock.now() == NOON


@pytest.mark.parametrize(
    "length", [{"days": 10_000_000}, {"weeks": 1e300}, {"weeks": 1e8, "days": 5e8}, {"seconds": 10**400}]
)
def test_a_clock_stays_between_1970_and_9999(length: Any) -> None:
    """What a datetime cannot show is refused, either way."""
    clock = CreditClock()

    for move in (clock.move, clock.set_back):
        with pytest.raises(InvalidInputError, match="Keep the clock between 1970 and 9999"):
            move(**length)

    assert clock.now() == NOON
