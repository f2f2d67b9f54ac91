"""The trace of a run: a digest of all events in order, and the last events for a report."""

import hashlib
from collections import Counter, deque

import msgspec

EVENTS_MAX = 20_000

Word = str | int | bytes | None

_encode = msgspec.msgpack.Encoder().encode


class InvariantBroken(BaseException):
    """A broken invariant. Not an `Exception`, so that the writer does not handle it as a defect of a batch."""


class Trace:
    """The events so far. Only numbers, texts and bytes are added, so that equal runs have equal digests."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self._hash = hashlib.blake2b(digest_size=16)
        self._last: deque[tuple[Word, ...]] = deque(maxlen=EVENTS_MAX)

    def note(self, *what: Word) -> None:
        """Add an event."""
        self._hash.update(_encode(what))
        self._last.append(what)

    def fault(self, kind: str, *what: Word) -> None:
        """Add and count a fault."""
        self.faults[kind] += 1
        self.note("fault", kind, *what)

    def digest(self) -> str:
        """The digest of all events."""
        return self._hash.hexdigest()

    def story(self, about: str, most: int = 40) -> list[str]:
        """The last events about this name, with the faults in between."""
        events = [what for what in self._last if not about or about in what or what[0] == "fault"]
        return [" ".join(_shown(word) for word in what) for what in events[-most:]]


def _shown(word: Word) -> str:
    return word.hex()[:12] if isinstance(word, bytes) else str(word)
