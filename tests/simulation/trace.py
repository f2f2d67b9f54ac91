"""The trace of a run: a digest of everything that happened in its order, and the last of it to tell as a story."""

import hashlib
from collections import Counter, deque

import msgspec

TOLD_MAX = 20_000

Word = str | int | bytes | None

_encode = msgspec.msgpack.Encoder().encode


class Wrong(BaseException):
    """Something that may never be. No `Exception`, so that nobody on the way takes it for a defect of a batch."""


class Trace:
    """What happened so far. Only numbers, texts and bytes go in, so that equal runs have equal digests."""

    def __init__(self) -> None:
        self.faults: Counter[str] = Counter()
        self._hash = hashlib.blake2b(digest_size=16)
        self._last: deque[tuple[Word, ...]] = deque(maxlen=TOLD_MAX)

    def note(self, *what: Word) -> None:
        """Something happened."""
        self._hash.update(_encode(what))
        self._last.append(what)

    def fault(self, kind: str, *what: Word) -> None:
        """A fault was put in the way."""
        self.faults[kind] += 1
        self.note("fault", kind, *what)

    def digest(self) -> str:
        """The digest of all of it."""
        return self._hash.hexdigest()

    def story(self, about: str, most: int = 40) -> list[str]:
        """The last things that happened to what is named, and the faults among them."""
        told = [what for what in self._last if not about or about in what or what[0] == "fault"]
        return [" ".join(_shown(word) for word in what) for what in told[-most:]]


def _shown(word: Word) -> str:
    return word.hex()[:12] if isinstance(word, bytes) else str(word)
