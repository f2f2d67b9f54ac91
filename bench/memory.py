"""The memory of a process during a run: its maximum resident size, read repeatedly from /proc."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_EVERY_SECONDS = 0.05


class Resident:
    """Resident memory in MiB: when watching began, and the most since; None where the system does not tell."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/status")
        self.at_first = self.read()
        self.most = self.at_first

    def read(self) -> float | None:
        """What it is now."""
        if not self._path.exists():
            return None
        sizes = [line.split()[1] for line in self._path.read_text().splitlines() if line.startswith("VmRSS:")]
        return int(sizes[0]) / 1024 if sizes else None

    def look(self) -> None:
        """Look once more."""
        self.most = max((size for size in (self.most, self.read()) if size is not None), default=None)


@contextmanager
def watched(pid: int) -> Iterator[Resident]:
    """Watch a process until the context ends."""
    resident, ended = Resident(pid), threading.Event()

    def watch() -> None:
        while not ended.wait(_EVERY_SECONDS):
            resident.look()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield resident
    finally:
        ended.set()
        watcher.join()
