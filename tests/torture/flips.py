"""`PART=flips`: every flip of every byte in a small ledger's rows, one after another; verify must find each.

The ledger has every kind of row. With fewer steps than flips, a random sample of flips is tried. Not here: a flip
(tests/ledger/verify).
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
    """Try this many flips, or all, and print the counts; False if verify missed one that is no exception."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/credits.db"
        write_every_kind(f"sqlite:///{path}", MovedClock())
        with flipped(path) as copy:
            every = list(copy.flips())
            flips = every if steps >= len(every) else random.Random(seed).sample(every, steps)
            is_clean = copy.differences() == []
            missed = [flip for flip in _with_progress(flips) if not copy.is_found(flip)]
            is_clean = is_clean and copy.differences() == []
    excepted = Counter((flip.table, flip.column) for flip in missed if (flip.table, flip.column) in EXCEPTIONS)
    failures = [flip for flip in missed if (flip.table, flip.column) not in EXCEPTIONS]
    for flip in failures:
        print(f"NOT FOUND: {flip}", flush=True)
    named = ", ".join(f"{count} of {table}.{column}" for (table, column), count in sorted(excepted.items()))
    print(
        f"{len(flips)} flips of bytes: {len(flips) - len(missed)} found; exceptions: {named or 'none'}",
        flush=True,
    )
    is_exact = len(flips) < len(every) or set(excepted) == set(EXCEPTIONS)
    return not failures and is_clean and is_exact


def _with_progress(flips: list[Flip]) -> Iterator[Flip]:
    began = printed_at = time.monotonic()
    for number, flip in enumerate(flips, 1):
        yield flip
        if time.monotonic() - printed_at > PROGRESS_SECONDS:
            printed_at = time.monotonic()
            print(f"{number} of {len(flips)} flips, {number / (printed_at - began):.0f} a second", flush=True)
