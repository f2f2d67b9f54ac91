"""`PART=kill`: real processes are killed under load and restarted, and every acknowledged change must be in the ledger.

Each era has a new database and ten kills. After each kill the ledger is proved and compared with the acknowledgements;
at the end of the era the whole history is judged. Not here: the processes that are killed (`kill_targets`).
"""

import asyncio
import shutil
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tests.histories.clients import Acknowledged, ClientPool
from tests.histories.history import Row
from tests.histories.ledger_rows import read_rows
from tests.histories.setup import judge
from tests.histories.witness_record import WitnessRecorder
from tests.histories.workload import Accounts
from tests.ledger.databases import verify_clean
from tests.lockstep.choices import RandomChoices
from tests.support.postgres import PostgresServer
from tests.torture.kill_targets import KILL_TARGETS, KillTarget

CLIENTS = 12
KILLS_AN_ERA = 10
ACCOUNTS_AT_ONCE = 6
REQUESTS_AN_ACCOUNT = 250
# The requests allowed for each kill. Most must still be ahead at the kill; few enough to be proved quickly.
REQUESTS_A_KILL = 300
ACKNOWLEDGED_BEFORE_KILL = range(10, 100)
PROGRESS_SECONDS = 10.0
# After this long without progress something has not recovered by itself.
STUCK_SECONDS = 120.0
# The usual duration on two processors, for the first line of output.
_SECONDS_A_KILL = 2.6


def run_kill(kills: int, seed: int) -> bool:
    """Run this many kills and print the counts; False if a change is lost, duplicated or not explained."""
    print(f"{kills} kills: about {kills * _SECONDS_A_KILL / 60:.0f} minutes", flush=True)
    tally = Tally(kills)
    with PostgresServer() as postgres:
        for era in count():
            left = kills - tally.kills.total()
            if left <= 0:
                break
            folder = Path(tempfile.mkdtemp(prefix="sixpence-kill-"))
            try:
                problems = _run_era(tally, postgres, folder, era, min(left, KILLS_AN_ERA), seed)
            except Exception:  # noqa: BLE001 - after any failure the folder with the evidence is printed
                problems = [traceback.format_exc()]
            if problems:
                for problem in problems[:20]:
                    print(problem)
                done = tally.kills.total()
                print(f"FAILED in era {era} of seed {seed}, after {done} kills: the recorded history ", end="")
                print(f"and the servers' logs are in {folder}", flush=True)
                return False
            shutil.rmtree(folder)
    print(tally.last_line(), flush=True)
    return True


class Tally:
    """The kills so far, and the counts of the checks."""

    def __init__(self, kills_in_all: int) -> None:
        self._kills_in_all = kills_in_all
        self._began = self._printed_at = time.monotonic()
        self.kills: Counter[str] = Counter()
        self.found = 0
        self.judged: Counter[str] = Counter()

    def print_progress(self) -> None:
        """Print the progress every few seconds."""
        if time.monotonic() - self._printed_at > PROGRESS_SECONDS:
            self._printed_at = time.monotonic()
            seconds = self._printed_at - self._began
            print(f"{self.kills.total()} of {self._kills_in_all} kills in {seconds:.0f} s", flush=True)

    def last_line(self) -> str:
        """The summary: kills by kind, and the counts of the checks."""
        kinds = ", ".join(f"{kind} {number}" for kind, number in sorted(self.kills.items()))
        judged = ", ".join(f"{kind} {number}" for kind, number in self.judged.most_common())
        return (
            f"{self.kills.total()} kills in {time.monotonic() - self._began:.0f} s ({kinds}); {judged}; "
            f"verify clean and every acknowledged change in the ledger after each kill ({self.found} found): "
            "lost 0, twice 0"
        )


def _run_era(tally: Tally, postgres: PostgresServer, folder: Path, era: int, kills: int, seed: int) -> list[str]:
    """List the problems after these kills. The eras rotate through the targets."""
    testimony = folder / "testimony.jsonl"
    with KILL_TARGETS[era % len(KILL_TARGETS)](postgres, folder) as target:
        crowd = asyncio.run(kill_under_load(target, testimony, tally, kills=kills, seed=f"{seed} {era}"))
        url = target.served.database_url
        verify_clean(url)
        verdict = judge(url, testimony)
    tally.judged += verdict.counts
    return crowd.unexpected + [str(fault) for fault in verdict.faults]


async def kill_under_load(target: KillTarget, testimony: Path, tally: Tally, *, kills: int, seed: str) -> ClientPool:
    """Kill one process after another under load, and look up every acknowledged change after each kill."""
    choose = RandomChoices(seed)
    async with WitnessRecorder(testimony) as witness:
        accounts = Accounts("team", at_once=ACCOUNTS_AT_ONCE, requests_max=REQUESTS_AN_ACCOUNT)
        crowd = ClientPool(target.served, witness, accounts, clients=CLIENTS, seed=seed)
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.run())
            try:
                for _ in range(kills):
                    async with asyncio.timeout(STUCK_SECONDS):
                        crowd.allow(REQUESTS_A_KILL)
                        await crowd.until(choose(ACKNOWLEDGED_BEFORE_KILL))
                        await target.kill(choose, tally.kills)
                    tally.found += await asyncio.to_thread(find_acknowledged, target.served.database_url, crowd)
                    tally.print_progress()
            finally:
                crowd.finish()
    return crowd


def find_acknowledged(url: str, crowd: ClientPool) -> int:
    """Prove the ledger, find every change acknowledged so far in it, and return their number."""
    acknowledged = list(crowd.acknowledged)
    verify_clean(url)
    problems = list_lost_and_duplicate(acknowledged, read_rows(url))
    assert problems == [], "\n".join(problems)
    return len(acknowledged)


def list_lost_and_duplicate(acknowledged: Sequence[Acknowledged], rows: Sequence[Row]) -> list[str]:
    """List acknowledged changes that are not in the ledger as acknowledged, and requests with two rows."""
    by_place = {(row.account, row.seq): row for row in rows}
    numbers = Counter(row.number for row in rows if row.number is not None)
    problems = [f"twice: request {number} has {times} rows" for number, times in numbers.items() if times > 1]
    for change in acknowledged:
        row = by_place.get((change.account, change.seq))
        # A row without a number is of an account that existed already, which keeps its metadata.
        if row is None or change.id not in (None, row.id) or row.number not in (None, change.number):
            problems.append(f"lost: {change}, where the ledger has {row}")
    return problems
