"""The default runtime of the writer's loops: a thread each, and real time."""

import threading
import time

from sixpence.ledger.writer.runtime import THREADS


def test_start_runs_work_on_a_named_daemon_thread() -> None:
    """The work runs on a daemon thread of the given name; joining waits for its end."""
    seen: list[threading.Thread] = []
    may_end = threading.Event()

    def work() -> None:
        may_end.wait(10)
        seen.append(threading.current_thread())

    join = THREADS.start(work, "a lane")
    before = list(seen)
    may_end.set()
    join()

    assert (before, [(thread.name, thread.daemon) for thread in seen]) == ([], [("a lane", True)])


def test_pause_takes_real_time() -> None:
    """A pause takes its full time by the monotonic clock."""
    began = THREADS.monotonic()

    THREADS.pause(0.01)

    waited = THREADS.monotonic() - began
    assert waited >= 0.01
    assert abs(THREADS.monotonic() - time.monotonic()) < 5
