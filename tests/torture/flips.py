"""Every flip of every byte in a small ledger's rows, one after another: each has to be found by verify.

The ledger has every kind of row. Where fewer steps are asked for than there are flips, so many are drawn.
"""

import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator

from tests.ledger.every_kind import write_every_kind
from tests.ledger.moved_clock import MovedClock
from tests.ledger.verify.flips import EXCEPTIONS, Flip, flipped

PROGRESS_SECONDS = 10.0


def run_flips(steps: int, seed: int) -> bool:
    """Try so many, or all, and say what was tried; False when one was missed that is no exception."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/credits.db"
        write_every_kind(f"sqlite:///{path}", MovedClock())
        with flipped(path) as copy:
            every = list(copy.flips())
            flips = every if steps >= len(every) else random.Random(seed).sample(every, steps)
            whole = copy.differences() == []
            missed = [flip for flip in _watched(flips) if not copy.is_found(flip)]
            whole = whole and copy.differences() == []
    excused = Counter((flip.table, flip.column) for flip in missed if (flip.table, flip.column) in EXCEPTIONS)
    inexcusable = [flip for flip in missed if (flip.table, flip.column) not in EXCEPTIONS]
    for flip in inexcusable:
        print(f"NOT FOUND: {flip}", flush=True)
    named = ", ".join(f"{count} of {table}.{column}" for (table, column), count in sorted(excused.items()))
    print(
        f"{len(flips)} flips of bytes: {len(flips) - len(missed)} found; by exception not: {named or 'none'}",
        flush=True,
    )
    is_exact = len(flips) < len(every) or set(excused) == set(EXCEPTIONS)
    return not inexcusable and whole and is_exact


def _watched(flips: list[Flip]) -> Iterator[Flip]:
    began = told = time.monotonic()
    for number, flip in enumerate(flips, 1):
        yield flip
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{number} of {len(flips)} flips, {number / (told - began):.0f} a second", flush=True)
