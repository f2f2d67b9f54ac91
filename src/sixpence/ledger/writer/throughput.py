"""How fast the writer works, and from that how long what waits has yet to wait."""

# Fewer than these are through before it matters how fast it goes.
FEW = 100


class Pace:
    """Commands a second while there is always something waiting, over about the last second; one thread at a time."""

    def __init__(self) -> None:
        self._per_second = 0.0
        self._taken_at: float | None = None

    def taken(self, count: int, *, now: float, at_once: bool) -> None:
        """A lane took so many at `now` (monotonic seconds); `at_once` unless it had to wait until there were any."""
        if at_once and self._taken_at is not None and now > self._taken_at:
            passed = now - self._taken_at
            seen = count / passed
            weight = 1.0 if self._per_second == 0 else min(1.0, passed)
            self._per_second += (seen - self._per_second) * weight
        self._taken_at = now

    def seconds_for(self, count: int) -> float:
        """How long so many take; 0 for few, and as long as it is not known."""
        return count / self._per_second if count > FEW and self._per_second else 0.0
