"""Fair use: how many uses of an unlimited plan still count, in a window that slides in sixty steps.

Steps are equal, in UTC, and aligned to 1970; a use counts until its whole step has left the window, so no interval of
the window's length ever holds more than the limit. Not here: whether a use is refused (`rules.consume`).
"""

import msgspec

from sixpence.core.catalog.catalog import FairUsePer
from sixpence.core.values.instant import INSTANT_MAX, SECOND

_STEPS = 60
_STEP_SECONDS: dict[FairUsePer, int] = {"hour": 60, "day": 1_440, "month": 43_200}


class Mark(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The change that a row makes to a window: `change` uses (−1 gives one back) in the step numbered `at`."""

    step_seconds: int
    at: int
    change: int


class Window(msgspec.Struct, frozen=True):
    """The uses that may still count, as (step number, uses): ascending by step, no step without a use, at most 61."""

    step_seconds: int
    counts: tuple[tuple[int, int], ...]


def step_seconds(per: FairUsePer) -> int:
    """The length of a step: a sixtieth of an hour, a day, or a month of 30 days."""
    return _STEP_SECONDS[per]


def mark_use(per: FairUsePer, now: int, change: int = 1) -> Mark:
    """Return the mark of a use at an instant; with a change of −1 the mark that gives this use back."""
    seconds = step_seconds(per)
    return Mark(seconds, now // (seconds * SECOND), change)


def count_uses(window: Window | None, per: FairUsePer, now: int) -> int:
    """Return how many uses still count at an instant; a window of another step length counts nothing."""
    return sum(uses for _, uses in _counting(window, step_seconds(per), now))


def opens_at(window: Window | None, per: FairUsePer, uses: int, now: int) -> int | None:
    """Return the earliest instant from `now` on at which one more use is within the limit of `uses`; None if never."""
    if uses < 1:
        return None
    seconds = step_seconds(per)
    kept = _counting(window, seconds, now)
    counting = sum(count for _, count in kept)
    opens = now
    for step, count in kept:
        if counting < uses:
            break
        counting -= count
        opens = min((step + 1 + _STEPS) * seconds * SECOND, INSTANT_MAX)
    return opens


def apply_mark(window: Window | None, mark: Mark, now: int) -> Window | None:
    """Return the window with a mark applied, without uses that no longer count at `now`; None where it is empty.

    A use of another step length starts an empty window. Giving back a use that no longer counts changes nothing.
    """
    if window is not None and window.step_seconds != mark.step_seconds and mark.change < 0:
        return _window(window.step_seconds, dict(_counting(window, window.step_seconds, now)))
    counts = dict(_counting(window, mark.step_seconds, now))
    if _counts(mark.at, mark.step_seconds, now):
        counts[mark.at] = counts.get(mark.at, 0) + mark.change
    return _window(mark.step_seconds, counts)


def find_window(windows: tuple[Window, ...], per: FairUsePer) -> Window | None:
    """Find the window of that length; None where it counts nothing."""
    seconds = step_seconds(per)
    return next((window for window in windows if window.step_seconds == seconds), None)


def with_mark(windows: tuple[Window, ...], mark: Mark, now: int) -> tuple[Window, ...]:
    """Return the windows with a mark applied to the one of its length; the others stay as they are."""
    others = [window for window in windows if window.step_seconds != mark.step_seconds]
    own = next((window for window in windows if window.step_seconds == mark.step_seconds), None)
    marked = apply_mark(own, mark, now)
    return tuple(sorted((*others, *([] if marked is None else [marked])), key=lambda window: window.step_seconds))


def _counting(window: Window | None, seconds: int, now: int) -> tuple[tuple[int, int], ...]:
    """Return the entries that still count of a window of that step length."""
    if window is None or window.step_seconds != seconds:
        return ()
    return tuple(entry for entry in window.counts if _counts(entry[0], seconds, now))


def _counts(step: int, seconds: int, now: int) -> bool:
    return now < (step + 1 + _STEPS) * seconds * SECOND


def _window(seconds: int, counts: dict[int, int]) -> Window | None:
    entries = tuple(sorted((step, uses) for step, uses in counts.items() if uses > 0))
    return Window(seconds, entries) if entries else None
