"""The time, pauses, conditions and threads of the writer's loops.

Every wait of the writer goes through a `Runtime`, so that the simulation (`tests/simulation`) can run the same loops
one at a time, in its own order and by its own time.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

import msgspec


class Condition(Protocol):
    """The part of `threading.Condition` that the queue uses."""

    def __enter__(self) -> bool:
        """Acquire the lock."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Release the lock."""

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock until a notification or the timeout (seconds)."""

    def notify(self) -> None:
        """Wake one waiter."""

    def notify_all(self) -> None:
        """Wake all waiters."""


def start_thread(work: Callable[[], None], name: str) -> Callable[[], None]:
    """Run `work` on a thread of its own; the returned function waits for its end."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread.join


class Runtime(msgspec.Struct, frozen=True):
    """Four functions instead of a port: a port's methods would cost one more call for every command."""

    monotonic: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    condition: Callable[[], Condition] = threading.Condition
    start: Callable[[Callable[[], None], str], Callable[[], None]] = start_thread


THREADS = Runtime()
