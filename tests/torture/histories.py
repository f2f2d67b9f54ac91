"""`PART=histories`: fifty clients send requests to two servers on one PostgreSQL, and every answer is explained.

Each era has a new database, which `verify` proves, and a new history, which the checker judges. Not here: the clients
and the checker (tests/histories).
"""

import asyncio
import shutil
import tempfile
import time
from collections import Counter
from itertools import count
from pathlib import Path

from tests.histories.checker import Verdict
from tests.histories.clients import ClientPool
from tests.histories.setup import judge, serve_fresh_database
from tests.histories.witness_record import WitnessRecorder
from tests.histories.workload import Accounts
from tests.ledger.databases import migrated_database, verify_clean
from tests.races.served import Served
from tests.support.postgres import PostgresServer

CLIENTS = 50
SERVERS = 2
ACCOUNTS_AT_ONCE = 8
REQUESTS_AN_ACCOUNT = 250
REQUESTS_AN_ERA = 20_000
# The usual rate on two processors, for the first line of output.
_REQUESTS_A_SECOND = 350


def run_histories(requests: int, seed: int) -> bool:
    """Send this many requests, judge them, and print the counts; False if an answer cannot be explained."""
    minutes = requests / _REQUESTS_A_SECOND / 60
    print(f"{requests} requests of {CLIENTS} clients to {SERVERS} servers: about {minutes:.0f} minutes", flush=True)
    tally = Tally()
    with PostgresServer() as server:
        for era in count():
            left = requests - tally.requests
            if left <= 0:
                break
            folder = Path(tempfile.mkdtemp(prefix="sixpence-histories-"))
            with migrated_database(server) as url:
                problems = _run_era(tally, url, folder, min(left, REQUESTS_AN_ERA), f"{seed} {era}")
            if problems:
                for problem in problems[:20]:
                    print(problem)
                print(f"FAILED in era {era} of seed {seed}: the recorded history is in {folder}", flush=True)
                return False
            shutil.rmtree(folder)
            print(tally.progress(requests), flush=True)
    print(tally.last_line(), flush=True)
    return True


class Tally:
    """The requests that were sent and judged so far, and the seconds for each."""

    def __init__(self) -> None:
        self.requests = 0
        self.sending_seconds = self.judging_seconds = 0.0
        self.judged: Counter[str] = Counter()

    def progress(self, of: int) -> str:
        """The progress, in one line."""
        return f"{self.requests} of {of} requests sent in {self.sending_seconds:.0f} s and judged"

    def last_line(self) -> str:
        """The summary: all counts."""
        judged = ", ".join(f"{kind} {number}" for kind, number in self.judged.most_common())
        return (
            f"{self.requests} requests of {CLIENTS} clients to {SERVERS} servers on PostgreSQL sent in "
            f"{self.sending_seconds:.0f} s and judged in {self.judging_seconds:.0f} s ({judged}): "
            "every answer, read and refusal is explained by the order of the ledger; verify is clean"
        )


def _run_era(tally: Tally, url: str, folder: Path, requests: int, seed: str) -> list[str]:
    """List the problems of a history of this many requests."""
    testimony = folder / "testimony.jsonl"
    began = time.monotonic()
    with serve_fresh_database(url, folder, servers=SERVERS) as served:
        crowd = asyncio.run(send_requests(served, testimony, requests=requests, clients=CLIENTS, seed=seed))
    sent = time.monotonic()
    verify_clean(url)
    verdict: Verdict = judge(url, testimony)
    tally.requests += crowd.requests
    tally.sending_seconds += sent - began
    tally.judging_seconds += time.monotonic() - sent
    tally.judged += verdict.counts
    return crowd.unexpected + [str(fault) for fault in verdict.faults]


async def send_requests(served: Served, testimony: Path, *, requests: int, clients: int, seed: str) -> ClientPool:
    """Let clients send this many requests, and record the history."""
    async with WitnessRecorder(testimony) as witness:
        accounts = Accounts("team", at_once=ACCOUNTS_AT_ONCE, requests_max=REQUESTS_AN_ACCOUNT)
        crowd = ClientPool(served, witness, accounts, clients=clients, seed=seed, requests_max=requests)
        await crowd.run()
    return crowd
