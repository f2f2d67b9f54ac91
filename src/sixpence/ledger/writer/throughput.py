"""The writer's throughput, and from it the expected wait of a new command."""

# A wait is estimated only for more commands than this.
ESTIMATE_COUNT_MIN = 100


class Throughput:
    """Commands a second while the queue is never empty, over about the last second; used by one thread at a time."""

    def __init__(self) -> None:
        self._per_second = 0.0
        self._taken_at: float | None = None

    def record_batch(self, count: int, *, now: float, was_ready: bool) -> None:
        """Count a batch that a worker took at `now` (monotonic seconds); `was_ready` when it did not wait for one."""
        if was_ready and self._taken_at is not None and now > self._taken_at:
            elapsed = now - self._taken_at
            measured = count / elapsed
            weight = 1.0 if self._per_second == 0 else min(1.0, elapsed)
            self._per_second += (measured - self._per_second) * weight
        self._taken_at = now

    def estimate_seconds(self, count: int) -> float:
        """How long this many commands take; 0 for few of them, and before the first measurement."""
        return count / self._per_second if count > ESTIMATE_COUNT_MIN and self._per_second else 0.0
