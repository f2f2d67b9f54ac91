"""The setup of a history: a fresh database with a catalog full of edge cases, its servers, and the check at the end.

Not here: the clients (clients.py), and the checker (checker.py).
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
from tests.histories.witness_record import read_calls
from tests.lockstep.catalogs import FIRST
from tests.races.served import Served, serving


@contextmanager
def serve_fresh_database(url: str, home: Path, *, servers: int) -> Iterator[Served]:
    """Servers over an unused database; a PostgreSQL database needs this version's tables."""
    ledger = Ledger(url, catalog=FIRST)
    try:
        ledger.open()
    finally:
        ledger.close()
    with serving(url, home, servers=servers) as served:
        yield served


def judge(url: str, testimony: Path) -> Verdict:
    """Check the witness's file against the database; with faults, the rows are stored beside the file."""
    history = History(read_calls(testimony), read_rows(url), read_catalog(url))
    verdict = check(history)
    if verdict.faults:
        lines = [json.dumps(asdict(row)) for row in sorted(history.rows, key=lambda row: (row.account, row.seq))]
        testimony.with_name("ledger.jsonl").write_text("\n".join(lines))
    return verdict
