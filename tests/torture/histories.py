"""Histories for as long as told: fifty clients before two servers on one PostgreSQL, and every answer explained.

Each era is a database of its own, proved by `verify`, and a history of its own, judged by the checker.
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
# What to expect of a machine with two processors, for the line at the beginning.
_REQUESTS_A_SECOND = 350


def run_histories(requests: int, seed: int) -> bool:
    """Ask so much, judge it, and say what was looked at; False when an answer cannot be explained."""
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
                print(f"FAILED in era {era} of seed {seed}: what the witness wrote is kept in {folder}", flush=True)
                return False
            shutil.rmtree(folder)
            print(tally.progress(requests), flush=True)
    print(tally.last_line(), flush=True)
    return True


class Tally:
    """What was asked and judged so far, and how long each took."""

    def __init__(self) -> None:
        self.requests = 0
        self.asking_seconds = self.judging_seconds = 0.0
        self.judged: Counter[str] = Counter()

    def progress(self, of: int) -> str:
        """How far it has come."""
        return f"{self.requests} of {of} requests asked in {self.asking_seconds:.0f} s and judged"

    def last_line(self) -> str:
        """All that was looked at."""
        looked = ", ".join(f"{what} {number}" for what, number in self.judged.most_common())
        return (
            f"{self.requests} requests of {CLIENTS} clients to {SERVERS} servers on PostgreSQL asked in "
            f"{self.asking_seconds:.0f} s and judged in {self.judging_seconds:.0f} s ({looked}): "
            "every answer, read and refusal is explained by the order of the ledger; verify is clean"
        )


def _run_era(tally: Tally, url: str, folder: Path, requests: int, seed: str) -> list[str]:
    """What is wrong with a history of so many requests."""
    testimony = folder / "testimony.jsonl"
    began = time.monotonic()
    with serve_fresh_database(url, folder, servers=SERVERS) as served:
        crowd = asyncio.run(ask(served, testimony, requests=requests, clients=CLIENTS, seed=seed))
    asked = time.monotonic()
    verify_clean(url)
    verdict: Verdict = judge(url, testimony)
    tally.requests += crowd.requests
    tally.asking_seconds += asked - began
    tally.judging_seconds += time.monotonic() - asked
    tally.judged += verdict.counts
    return crowd.unexpected + [str(fault) for fault in verdict.faults]


async def ask(served: Served, testimony: Path, *, requests: int, clients: int, seed: str) -> ClientPool:
    """Let a crowd ask so much, and a witness write it down."""
    async with WitnessRecorder(testimony) as witness:
        accounts = Accounts("team", at_once=ACCOUNTS_AT_ONCE, requests_max=REQUESTS_AN_ACCOUNT)
        crowd = ClientPool(served, witness, accounts, clients=clients, seed=seed, requests_max=requests)
        await crowd.run()
    return crowd
