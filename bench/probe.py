"""How fast this machine makes a write durable right now: what tells a disturbed round from a good one."""

import os
import tempfile
import time

PROBE_SECONDS = 0.5
MOVED_MAX = 0.30


def fsyncs_a_second() -> float:
    """How many writes of 4 kB one thread makes durable in a second."""
    block = os.urandom(4096)
    with tempfile.NamedTemporaryFile() as file:
        count = 0
        started = time.perf_counter()
        while (passed := time.perf_counter() - started) < PROBE_SECONDS:
            os.pwrite(file.fileno(), block, 0)
            os.fdatasync(file.fileno())
            count += 1
    return count / passed


def disturbed(before: float, after: float) -> bool:
    """Whether the machine changed so much between two probes that nothing in between can be compared."""
    return abs(after - before) > MOVED_MAX * min(before, after)
