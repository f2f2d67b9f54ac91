"""What the writer's loops run on without being told: a thread each, and real time."""

import threading
import time

from sixpence.ledger.writer.runtime import ON_THREADS


def test_work_runs_beside_the_caller_until_it_is_joined() -> None:
    """On a daemon's thread of that name; joining waits for its end."""
    seen: list[threading.Thread] = []
    go_on = threading.Event()

    def work() -> None:
        go_on.wait(10)
        seen.append(threading.current_thread())

    join = ON_THREADS.start(work, "a lane")
    before = list(seen)
    go_on.set()
    join()

    assert (before, [(thread.name, thread.daemon) for thread in seen]) == ([], [("a lane", True)])


def test_time_is_the_machines() -> None:
    """A pause is as long as it says, by a clock that nobody sets back."""
    began = ON_THREADS.monotonic()

    ON_THREADS.pause(0.01)

    waited = ON_THREADS.monotonic() - began
    assert waited >= 0.01
    assert abs(ON_THREADS.monotonic() - time.monotonic()) < 5
