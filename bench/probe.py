"""How fast this machine makes a write durable right now; a round in which this changes is disturbed."""

import os
import statistics
import tempfile
import time

WINDOWS = 5
WINDOW_SECONDS = 0.1


def fsyncs_a_second() -> float:
    """How many writes of 4 kB one thread makes durable in a second: the median of some short windows."""
    with tempfile.NamedTemporaryFile() as file:
        return statistics.median(_window(file.fileno()) for _ in range(WINDOWS))


def moved_percent(before: float, after: float) -> float:
    """By how much of the lesser one two probes differ."""
    return 100 * abs(after - before) / min(before, after)


def _window(descriptor: int) -> float:
    block = os.urandom(4096)
    count = 0
    started = time.perf_counter()
    while (passed := time.perf_counter() - started) < WINDOW_SECONDS:
        os.pwrite(descriptor, block, 0)
        os.fdatasync(descriptor)
        count += 1
    return count / passed
