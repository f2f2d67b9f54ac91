"""Kill and restart for as long as told: real processes die under load, and every acknowledgement has to be there.

Each era is a database of its own in which some die; after each death the ledger is proved and holds all that the
witness has, and at the end the whole history is judged. Who dies, and how: deaths.py.
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
from tests.torture.deaths import STAGES, Stage

CLIENTS = 12
DEATHS_AN_ERA = 10
ACCOUNTS_AT_ONCE = 6
REQUESTS_AN_ACCOUNT = 250
# Of so many requests that are begun for each death, most are to come when it happens. Few enough to prove them at once.
REQUESTS_A_DEATH = 300
ACKNOWLEDGED_BEFORE = range(10, 100)
PROGRESS_SECONDS = 10.0
# Nobody gets anything done for so long: then something does not come back by itself.
STUCK_SECONDS = 120.0
# What to expect of a machine with two processors, for the line at the beginning.
_SECONDS_A_DEATH = 2.6


def run_kill(deaths: int, seed: int) -> bool:
    """Let so many die, and say what was looked at; False when something is lost, there twice, or not explained."""
    print(f"{deaths} kills: about {deaths * _SECONDS_A_DEATH / 60:.0f} minutes", flush=True)
    tally = Tally(deaths)
    with PostgresServer() as postgres:
        for era in count():
            left = deaths - tally.deaths.total()
            if left <= 0:
                break
            folder = Path(tempfile.mkdtemp(prefix="sixpence-kill-"))
            try:
                problems = _run_era(tally, postgres, folder, era, min(left, DEATHS_AN_ERA), seed)
            except Exception:  # noqa: BLE001 - whatever it is, where to look is told
                problems = [traceback.format_exc()]
            if problems:
                for problem in problems[:20]:
                    print(problem)
                died = tally.deaths.total()
                print(f"FAILED in era {era} of seed {seed}, after {died} kills: what the witness wrote, ", end="")
                print(f"and the servers' logs, are kept in {folder}", flush=True)
                return False
            shutil.rmtree(folder)
    print(tally.last_line(), flush=True)
    return True


class Tally:
    """Who died so far, and what was found after that."""

    def __init__(self, deaths_in_all: int) -> None:
        self._in_all = deaths_in_all
        self._began = self._told = time.monotonic()
        self.deaths: Counter[str] = Counter()
        self.found_again = 0
        self.judged: Counter[str] = Counter()

    def tell(self) -> None:
        """Say how far it has come, now and then."""
        if time.monotonic() - self._told > PROGRESS_SECONDS:
            self._told = time.monotonic()
            seconds = self._told - self._began
            print(f"{self.deaths.total()} of {self._in_all} kills in {seconds:.0f} s", flush=True)

    def last_line(self) -> str:
        """Who died, and all that was looked at."""
        died = ", ".join(f"{who} {number}" for who, number in sorted(self.deaths.items()))
        looked = ", ".join(f"{what} {number}" for what, number in self.judged.most_common())
        return (
            f"{self.deaths.total()} kills in {time.monotonic() - self._began:.0f} s ({died}); {looked}; "
            f"verify clean and every acknowledgement there after each kill ({self.found_again} looked up): "
            "lost 0, twice 0"
        )


def _run_era(tally: Tally, postgres: PostgresServer, folder: Path, era: int, deaths: int, seed: int) -> list[str]:
    """What is wrong after so many deaths of one kind; the kinds take turns."""
    testimony = folder / "testimony.jsonl"
    with STAGES[era % len(STAGES)](postgres, folder) as stage:
        crowd = asyncio.run(die_under_load(stage, testimony, tally, deaths=deaths, seed=f"{seed} {era}"))
        url = stage.served.database_url
        verify_clean(url)
        verdict = judge(url, testimony)
    tally.judged += verdict.counts
    return crowd.unexpected + [str(fault) for fault in verdict.faults]


async def die_under_load(stage: Stage, testimony: Path, tally: Tally, *, deaths: int, seed: str) -> ClientPool:
    """Let them die one after another under load, and look for every acknowledgement after each death."""
    choose = RandomChoices(seed)
    async with WitnessRecorder(testimony) as witness:
        accounts = Accounts("team", at_once=ACCOUNTS_AT_ONCE, requests_max=REQUESTS_AN_ACCOUNT)
        crowd = ClientPool(stage.served, witness, accounts, clients=CLIENTS, seed=seed)
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.run())
            try:
                for _ in range(deaths):
                    async with asyncio.timeout(STUCK_SECONDS):
                        crowd.allow(REQUESTS_A_DEATH)
                        await crowd.until(choose(ACKNOWLEDGED_BEFORE))
                        await stage.die(choose, tally.deaths)
                    tally.found_again += await asyncio.to_thread(look_up, stage.served.database_url, crowd)
                    tally.tell()
            finally:
                crowd.finish()
    return crowd


def look_up(url: str, crowd: ClientPool) -> int:
    """Find every change that was acknowledged by now in the ledger, and prove the ledger; gives how many there are."""
    acknowledged = list(crowd.acknowledged)
    verify_clean(url)
    missed = list_missed(acknowledged, read_rows(url))
    assert missed == [], "\n".join(missed)
    return len(acknowledged)


def list_missed(acknowledged: Sequence[Acknowledged], rows: Sequence[Row]) -> list[str]:
    """What was acknowledged and does not stand in the ledger as it was told, and what stands there twice."""
    there = {(row.account, row.seq): row for row in rows}
    numbers = Counter(row.number for row in rows if row.number is not None)
    missed = [f"twice: request {number} has {times} rows" for number, times in numbers.items() if times > 1]
    for told in acknowledged:
        row = there.get((told.account, told.seq))
        # An account that was there already keeps its metadata: such a row has no number.
        if row is None or told.id not in (None, row.id) or row.number not in (None, told.number):
            missed.append(f"lost: {told}, where the ledger has {row}")
    return missed
