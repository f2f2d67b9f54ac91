"""Fair use: what counts, when the window opens, and that no interval of its length ever holds more than the limit."""

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sixpence.core.account.fair_use import Mark, Window, apply_mark, count_uses, mark_use, opens_at, step_seconds
from sixpence.core.catalog.catalog import FairUsePer
from sixpence.core.values.instant import DAY, INSTANT_MAX, SECOND, from_wire

_PERS: tuple[FairUsePer, ...] = get_args(FairUsePer)
_MINUTE = 60 * SECOND
_NOON = from_wire("noon", "2026-03-29T12:00:00Z")
_NOON_STEP = _NOON // _MINUTE


def _hour_window(*counts: tuple[int, int]) -> Window:
    """A window of an hour with uses in minutes counted from noon."""
    return Window(60, tuple((_NOON_STEP + minute, uses) for minute, uses in counts))


@pytest.mark.parametrize("per", _PERS)
def test_a_window_has_sixty_steps(per: FairUsePer) -> None:
    """Sixty steps are an hour, a day, or a month of 30 days."""
    lengths: dict[FairUsePer, int] = {"hour": 3_600 * SECOND, "day": DAY, "month": 30 * DAY}

    assert 60 * step_seconds(per) * SECOND == lengths[per]


@pytest.mark.parametrize(
    ("per", "expected"),
    [
        ("hour", Mark(60, 29_579_759, 1)),
        ("day", Mark(1_440, 1_232_489, 1)),
        ("month", Mark(43_200, 41_082, 1)),
    ],
)
def test_a_mark_names_the_step_of_its_instant(per: FairUsePer, expected: Mark) -> None:
    """The steps since 1970, up to the last microsecond before the next one."""
    assert mark_use(per, _NOON - 1) == expected


def test_a_use_counts_until_its_whole_step_has_left() -> None:
    """A use in the minute of 12:00 counts through 13:00:59.999999 and no longer."""
    window = apply_mark(None, mark_use("hour", _NOON), _NOON)

    assert window == _hour_window((0, 1))
    assert count_uses(window, "hour", _NOON) == 1
    assert count_uses(window, "hour", _NOON + 61 * _MINUTE - 1) == 1
    assert count_uses(window, "hour", _NOON + 61 * _MINUTE) == 0


def test_uses_of_one_step_are_counted_together() -> None:
    """Two uses in one minute and one in the next are kept as two counts."""
    window = apply_mark(None, mark_use("hour", _NOON), _NOON)
    window = apply_mark(window, mark_use("hour", _NOON + 1), _NOON + 1)
    window = apply_mark(window, mark_use("hour", _NOON + _MINUTE), _NOON + _MINUTE)

    assert window == _hour_window((0, 2), (1, 1))


def test_apply_mark_drops_uses_that_no_longer_count() -> None:
    """The next use removes entries that have left the window."""
    window = _hour_window((0, 2), (1, 1))
    now = _NOON + 61 * _MINUTE

    assert apply_mark(window, mark_use("hour", now), now) == _hour_window((1, 1), (61, 1))


def test_a_use_given_back_no_longer_counts() -> None:
    """It is taken from its own step; an empty window is None."""
    window = _hour_window((0, 2), (1, 1))
    now = _NOON + _MINUTE

    assert apply_mark(window, mark_use("hour", _NOON, -1), now) == _hour_window((0, 1), (1, 1))
    assert apply_mark(_hour_window((0, 1)), mark_use("hour", _NOON, -1), now) is None


def test_apply_mark_ignores_a_use_that_no_longer_counts() -> None:
    """A mark whose step has left the window by now adds nothing to it."""
    assert apply_mark(None, mark_use("hour", _NOON), _NOON + 61 * _MINUTE) is None


@pytest.mark.parametrize("minute", [-61, -1, 1])
def test_giving_back_an_unknown_use_changes_nothing(minute: int) -> None:
    """Its step has left the window, or has no use: no other use is given back for it."""
    window = _hour_window((0, 1))

    assert apply_mark(window, mark_use("hour", _NOON + minute * _MINUTE, -1), _NOON + _MINUTE) == window
    assert apply_mark(None, mark_use("hour", _NOON, -1), _NOON) is None


def test_another_step_length_starts_an_empty_window() -> None:
    """Uses under a plan with another window count nothing, and the first use under the new plan drops them."""
    window = _hour_window((0, 3))

    assert count_uses(window, "day", _NOON) == 0
    assert opens_at(window, "day", 1, _NOON) == _NOON
    assert apply_mark(window, mark_use("day", _NOON), _NOON) == Window(1_440, ((_NOON // (1_440 * SECOND), 1),))


def test_giving_back_a_use_of_another_step_length_changes_nothing() -> None:
    """Releasing a hold from before a change of plan does not empty the current window."""
    window = _hour_window((0, 3))

    assert apply_mark(window, mark_use("day", _NOON, -1), _NOON) == window
    assert apply_mark(window, mark_use("day", _NOON, -1), _NOON + 61 * _MINUTE) is None


@pytest.mark.parametrize(
    ("uses", "minutes"),
    [(7, 0), (6, 61), (5, 62), (4, 62), (3, 62), (2, 90), (1, 90)],
)
def test_opens_at_is_when_enough_uses_have_left(uses: int, minutes: int) -> None:
    """The window has one, three and two uses; the limit decides which of them must leave first."""
    window = _hour_window((0, 1), (1, 3), (29, 2))
    now = _NOON + 30 * _MINUTE + 1

    expected = now if minutes == 0 else _NOON + minutes * _MINUTE

    assert opens_at(window, "hour", uses, now) == expected


@pytest.mark.parametrize("window", [None, _hour_window((0, 1))], ids=["unused", "used"])
def test_opens_at_of_a_limit_of_zero_returns_none(window: Window | None) -> None:
    """No instant is returned where no use is ever allowed."""
    assert opens_at(window, "hour", 0, _NOON) is None


def test_opens_at_stays_within_the_calendar() -> None:
    """In the last hour of the year 9999 the instant can still be shown."""
    now = INSTANT_MAX - _MINUTE

    assert opens_at(apply_mark(None, mark_use("hour", now), now), "hour", 1, now) == INSTANT_MAX


_places = st.sampled_from([0, 1, 30, 59, 60, 61]) | st.integers(0, 130)
_gaps = st.tuples(_places, st.sampled_from([0, 1, 500_000, 999_999]))  # steps, and millionths of a step


@settings(deadline=None)
@given(
    per=st.sampled_from(_PERS),
    uses=st.integers(1, 4),
    start=st.integers(0, INSTANT_MAX // 2),
    tries=st.lists(st.tuples(_gaps, st.sampled_from(["use", "use", "use", "give back"])), max_size=80),
)
def test_no_interval_has_more_uses_than_the_limit(
    per: FairUsePer, uses: int, start: int, tries: list[tuple[tuple[int, int], str]]
) -> None:
    """Compared with a plain list of instants: what counts, when it opens, and the uses in any interval."""
    step = step_seconds(per) * SECOND
    window: Window | None = None
    now, instants = start, list[int]()

    for (steps, millionths), what in tries:
        now += steps * step + millionths * step // 1_000_000
        counting = _counting(instants, step, now)
        assert count_uses(window, per, now) == counting
        _check_opening(window, per, uses, now, instants)
        if what == "give back" and instants:
            gone = instants.pop(now % len(instants))
            window = apply_mark(window, mark_use(per, gone, -1), now)
        elif counting < uses:
            instants.append(now)
            window = apply_mark(window, mark_use(per, now), now)
        _check_shape(window, now)

    assert all(late - early >= 60 * step for early, late in zip(instants, instants[uses:], strict=False))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, INSTANT_MAX // 2), st.sampled_from(_PERS))
def test_a_window_keeps_61_steps(start: int, per: FairUsePer) -> None:
    """With a use in every step 61 of them count at once, and no more are ever kept."""
    step = step_seconds(per) * SECOND
    window: Window | None = None

    for now in range(start, start + 200 * step, step):
        window = apply_mark(window, mark_use(per, now), now)
        _check_shape(window, now)

    assert window is not None
    assert len(window.counts) == count_uses(window, per, now) == 61


def _counting(instants: list[int], step: int, now: int) -> int:
    """The uses whose step, from its end on, has not been over for sixty steps yet."""
    return sum(now - (instant - instant % step + step) < 60 * step for instant in instants)


def _check_opening(window: Window | None, per: FairUsePer, uses: int, now: int, instants: list[int]) -> None:
    opens = opens_at(window, per, uses, now)
    step = step_seconds(per) * SECOND
    assert opens is not None
    assert opens >= now
    assert _counting(instants, step, opens) < uses
    assert opens == now or _counting(instants, step, opens - 1) >= uses


def _check_shape(window: Window | None, now: int) -> None:
    if window is None:
        return
    steps = [step for step, _ in window.counts]
    assert steps == sorted(set(steps))
    assert 1 <= len(steps) <= 61
    assert all(uses > 0 for _, uses in window.counts)
    assert now < (steps[0] + 61) * window.step_seconds * SECOND
