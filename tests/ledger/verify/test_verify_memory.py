"""Verify proves an account of any length in little memory: it stores neither rows nor holds."""

import subprocess
import sys

from tests.ledger.long_ledger import write_long_accounts

ADA = "ada@example.com"
ROWS = 30_000
# A row is about 1.5 kB in memory; all of them would be 45 MB.
MEBIBYTES_MAX = 20
# The peak memory of a process, before and after it verifies: in its own process, since a peak never falls. Linux counts
# the memory before exec in `ru_maxrss`, but not in this file.
PROGRAM = """
import resource, sys
from pathlib import Path
from sixpence.ledger.database.engines import parse_database_url, reading_engine
from sixpence.ledger.verify.verify import verify


def most_bytes():
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return next(int(line.split()[1]) * 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


engine = reading_engine(parse_database_url(sys.argv[1]))
with engine.connect() as connection:
    connection.exec_driver_sql("SELECT count(*) FROM credit_transactions")
    before = most_bytes()
    report = verify(connection)
    print(report.transactions, len(report.differences), (most_bytes() - before) // 1024**2)
"""


def test_a_long_account_is_proved_in_little_memory(url: str) -> None:
    """Thirty thousand rows with ten thousand holds take no more than some thousand rows do."""
    write_long_accounts(url, [ADA], ROWS)

    done = subprocess.run([sys.executable, "-c", PROGRAM, url], capture_output=True, text=True, timeout=100)

    assert done.stderr == ""
    transactions, differences, mebibytes = map(int, done.stdout.split())
    assert (transactions, differences) == (ROWS, 0)
    assert mebibytes <= MEBIBYTES_MAX
