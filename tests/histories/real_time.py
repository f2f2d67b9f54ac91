"""Real time: a request that was answered before another was sent precedes it, and reads are neither old nor early.

Of a call only its version, and its two instants, are needed here.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Point:
    """A version that was created (`changes`) or shown between two instants; None without an answer."""

    version: int
    called_at: int
    returned_at: int | None
    changes: bool
    words: object = ""


def disorder(points: Sequence[Point]) -> list[tuple[str, str]]:
    """Each point that is older than what was known before its request was sent, as (what, words).

    One pass over the points in the order of their calls: only answers before the call are known to it. A created
    version must be above the newest known one, a shown version must not be below it.
    """
    found = []
    newest = _Newest(points)
    for point in sorted(points, key=_called_at):
        known = newest.before(point.called_at)
        if known is None or point.version > known.version or (point.version == known.version and not point.changes):
            continue
        what = "order" if point.changes else "stale read"
        before = f"before it was asked {known.words} had version {known.version}"
        found.append((what, f"{point.words} has version {point.version}, and {before}"))
    return found


def windows(points: Sequence[Point], spans: Sequence[tuple[int, int]]) -> list[tuple[int, int | None]]:
    """For each call, the versions at which it may have been decided: from the first to the last, or to any.

    No version is older than what was known when the request was sent, and none is of a change sent after its answer.
    """
    changes = sorted((point for point in points if point.changes), key=_called_at)
    called = [point.called_at for point in changes]
    lowest = list(accumulate((point.version for point in reversed(changes)), min))[::-1]
    newest = _Newest(points)
    first: dict[int, int] = {}
    for called_at in sorted({called_at for called_at, _ in spans}):
        known = newest.before(called_at)
        first[called_at] = 0 if known is None else known.version
    found: list[tuple[int, int | None]] = []
    for called_at, returned_at in spans:
        later = bisect_right(called, returned_at)
        found.append((first[called_at], lowest[later] - 1 if later < len(lowest) else None))
    return found


class _Newest:
    """The newest version that was known at an instant; instants may only rise from call to call."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._answered = sorted((point for point in points if point.returned_at is not None), key=_returned_at)
        self._place = 0
        self._newest: Point | None = None

    def before(self, instant: int) -> Point | None:
        """The point with the newest version that was answered before the instant."""
        while self._place < len(self._answered) and _returned_at(self._answered[self._place]) < instant:
            point = self._answered[self._place]
            if self._newest is None or point.version > self._newest.version:
                self._newest = point
            self._place += 1
        return self._newest


def _called_at(point: Point) -> int:
    return point.called_at


def _returned_at(point: Point) -> int:
    assert point.returned_at is not None
    return point.returned_at
