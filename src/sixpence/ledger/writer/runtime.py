"""What the writer's loops run on: how they tell the time, pause, wait for each other, and run beside the caller.

These are threads and the machine's monotonic clock. All of the writer that waits goes through here, so that the same
loops also run one at a time, in an order and at times that somebody else decides (`tests/simulation`).
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

import msgspec


class Condition(Protocol):
    """What `threading.Condition` does, as far as the queue needs it."""

    def __enter__(self) -> bool:
        """Take the lock."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Let it go."""

    def wait(self, timeout: float | None = None) -> bool:
        """Let the lock go until somebody notifies, or for so many seconds."""

    def notify(self) -> None:
        """Wake one of those that wait."""

    def notify_all(self) -> None:
        """Wake all that wait."""


def start_thread(work: Callable[[], None], name: str) -> Callable[[], None]:
    """Run it on a thread of its own; what is returned waits for its end."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread.join


class Running(msgspec.Struct, frozen=True):
    """The four things; in place of a port, whose methods would cost a call more for every command."""

    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    condition: Callable[[], Condition] = threading.Condition
    start: Callable[[Callable[[], None], str], Callable[[], None]] = start_thread


ON_THREADS = Running()
