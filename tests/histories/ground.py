"""The ground of a history: a fresh database with a catalog full of edges, servers before it, and the judgement after.

Not here: who asks (crowd.py), and how it is judged (checker.py).
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from sixpence.ledger.ledger import Ledger
from tests.histories.checker import Verdict, check
from tests.histories.history import History
from tests.histories.ledger_rows import read_catalog, read_rows
from tests.histories.testimony import read_calls
from tests.lockstep.world import FIRST
from tests.races.served import Served, serving


@contextmanager
def ground(url: str, home: Path, *, servers: int) -> Iterator[Served]:
    """Servers over a database that nobody has used yet; a PostgreSQL has to have this version's tables."""
    ledger = Ledger(url, catalog=FIRST)
    try:
        ledger.open()
    finally:
        ledger.close()
    with serving(url, home, servers=servers) as served:
        yield served


def judge(url: str, testimony: Path) -> Verdict:
    """What a witness's file and its database come to; where they differ, the rows are kept beside the file."""
    history = History(read_calls(testimony), read_rows(url), read_catalog(url))
    verdict = check(history)
    if verdict.faults:
        lines = [json.dumps(asdict(row)) for row in sorted(history.rows, key=lambda row: (row.account, row.seq))]
        testimony.with_name("ledger.jsonl").write_text("\n".join(lines))
    return verdict
