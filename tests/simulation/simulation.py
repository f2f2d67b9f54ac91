"""One run: processes, clients and faults over one database, then a calm phase, and then the final checks.

The seed and the number of commands decide everything. In the calm phase there are no faults: open requests are retried
until they are answered, every process is probed for every account, and all processes end. Then the checks run.
"""

import logging
import re
import traceback
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random

import msgspec

from sixpence.core.account.commands import Tick
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.writer.batch import Request
from tests.lockstep.catalogs import CATALOGS
from tests.simulation.client import Client
from tests.simulation.commands import AccountRecord
from tests.simulation.database import Database
from tests.simulation.fault_schedule import FaultSchedule
from tests.simulation.faults import QUIET, draw_faults
from tests.simulation.final_checks import contents, run_final_checks
from tests.simulation.process import Bounds, MakeStore, Process
from tests.simulation.schedule import SECOND, Schedule, Task
from tests.simulation.store import SimulatedStore
from tests.simulation.trace import InvariantBroken, Trace
from tests.simulation.witness import Intent, Witness

# The longest calm phase and the longest probe, in simulated time.
CALM_SECONDS_MAX = 120
PROBE_SECONDS_MAX = 60
# The longest time without any final answer: this, and some of the longest lives of a lost transaction.
SILENCE_SECONDS_MAX = 30
_LOST_TRANSACTIONS_IN_A_ROW = 6
# The longest time that a transaction may be open, with a client or without.
OPEN_SECONDS_MAX = 60
# After this many commands a new account replaces the oldest one.
COMMANDS_PER_NEW_ACCOUNT = 100
_AFTER_A_CRASH_MAX = SECOND // 5
_ACCOUNT = re.compile(r"user-\d+@example\.com")


class RunResult(msgspec.Struct, frozen=True):
    """The counts of a run that went well; the digest is over every event and every durable byte."""

    digest: str
    commands: int
    answers: int
    replays: int
    refusals: int
    batches: int
    rows: int
    processes: int
    faults: Counter[str]


class Failure(msgspec.Struct, frozen=True):
    """The fault, after how many commands, and the events before it."""

    what: str
    command: int
    story: list[str]


class Simulation:
    """The state of one run."""

    def __init__(self, seed: str, commands: int, make_store: MakeStore = SimulatedStore) -> None:
        self.random = random = Random(seed)
        self.trace = Trace()
        self.schedule = Schedule(random, self.trace)
        self.faults = draw_faults(random)
        self.database = Database(self.schedule, random.choice(CATALOGS))
        self.database.watch = self._see
        self.witness = Witness(self.database)
        self.permits = (b"one", b"another", b"nobody's")
        self.database.permits = set(self.permits[:2])
        self.calm = False
        self._commands = commands
        self._make_store = make_store
        self._bounds = Bounds(
            queue_size_max=random.choice((4, 30, 1_000)),
            batch_size_max=random.choice((1, 3, 50, 500)),
            wait_seconds_max=random.choice((0.05, 1.0, 5.0)),
        )
        self._silence_max = SILENCE_SECONDS_MAX * SECOND + _LOST_TRANSACTIONS_IN_A_ROW * self.faults.lingers_max
        self._skew_max = random.choice((1, SECOND, 3_600 * SECOND))
        self._accounts_at_once = random.choice((5, 40, 150))
        self._records: dict[str, AccountRecord] = {}
        self._put_off: list[Intent] = []
        self._processes: list[Process] = []
        self._started = 0
        self._closed = False

    def run(self) -> RunResult:
        """Run all phases; raises `InvariantBroken` for a fault."""
        for _ in range(self.random.choice((1, 2, 3))):
            self._start_process()
        FaultSchedule(self).begin()
        clients = [Client(self) for _ in range(self.random.choice((4, 20, 60)))]
        self._run_until_done(self._tasks([client.run for client in clients]), None)
        self._become_calm()
        self._run_until_done([])
        self._run_until_done(self._tasks([partial(self._retry_open_requests, client) for client in clients]))
        self._run_until_done([])
        self._run_until_done(self._tasks([partial(self._probe, process) for process in self._processes]))
        self._close()
        rows = run_final_checks(self.database, self.witness)
        self.trace.note("contents", contents(self.database))
        return RunResult(
            digest=self.trace.digest(),
            commands=len(self.witness.intents),
            answers=self.witness.answers,
            replays=self.witness.replays,
            refusals=self.witness.refusals,
            batches=self.database.commits,
            rows=rows,
            processes=self._started,
            faults=self.trace.faults,
        )

    def failed(self, what: str) -> Failure:
        """The report of a run that failed."""
        named = _ACCOUNT.search(what)
        return Failure(what[-2_000:], len(self.witness.intents), self.trace.story(named[0] if named else ""))

    # Used by the clients and the fault schedule.

    def next_intent(self, draw: Callable[[], Intent]) -> Intent | None:
        """A new request, or None once the run has enough."""
        return draw() if len(self.witness.intents) < self._commands else None

    def put_off(self, intent: Intent) -> None:
        """Put a request off until the calm phase."""
        self.trace.fault("left for later", intent.number)
        self._put_off.append(intent)

    def some_process(self) -> Process | None:
        """A random process that accepts requests."""
        there = [process for process in self._processes if process.accepts_requests]
        return self.random.choice(there) if there else None

    def some_account(self) -> tuple[str, AccountRecord]:
        """A random account, some much more often than others; with time new accounts replace the oldest."""
        born = len(self.witness.intents) // COMMANDS_PER_NEW_ACCOUNT
        account_id = f"user-{born + int(self._accounts_at_once * self.random.random() ** 2)}@example.com"
        return account_id, self._record(account_id)

    # The phases.

    def _start_process(self) -> None:
        self._started += 1
        skew = self.random.randrange(-self._skew_max, self._skew_max)
        self._processes.append(
            Process(
                self._started,
                self.database,
                self._make_store,
                bounds=self._bounds,
                faults=QUIET if self.calm else self.faults,
                skew=skew,
            )
        )

    def _tasks(self, works: list[Callable[[], None]]) -> list[Task]:
        return [self.schedule.start(work, "caller") for work in works]

    def _run_until_done(self, tasks: list[Task], seconds_max: int | None = CALM_SECONDS_MAX) -> None:
        """Run until these tasks have ended; without any, until nothing is left to run."""
        until = None if seconds_max is None else self.schedule.now + seconds_max * SECOND
        while not tasks or not all(task.done for task in tasks):
            if not self.schedule.step():
                if tasks:
                    raise InvariantBroken("a task waits, and nothing is left to run")
                return
            self._replace_dead_processes()
            if until is not None and self.schedule.now > until:
                raise InvariantBroken("the run does not come to rest")
            self._check_progress(bool(tasks))

    def _check_progress(self, tasks_wait: bool) -> None:
        now = self.schedule.now
        oldest = next(iter(self.database.sessions), None)
        if oldest is not None and now > oldest.began_at + OPEN_SECONDS_MAX * SECOND:
            raise InvariantBroken(f"a transaction was left open {OPEN_SECONDS_MAX} seconds ago")
        if tasks_wait and now > self.witness.answered_at + self._silence_max:
            raise InvariantBroken(f"no request was answered for {self._silence_max // SECOND} seconds")

    def _replace_dead_processes(self) -> None:
        for place, process in enumerate(self._processes):
            if process.dead or (process.closing and process.ended and not self._closed):
                del self._processes[place]
                delay = self.random.randrange(_AFTER_A_CRASH_MAX)
                self.schedule.at(delay, self._start_process)
                return

    def _become_calm(self) -> None:
        self.calm = True
        self.faults = QUIET
        self.database.rise()
        for process in self._processes:
            process.calm()

    def _retry_open_requests(self, client: Client) -> None:
        while self._put_off:
            client.send_until_known(self._put_off.pop())

    def _probe(self, process: Process) -> None:
        """Check that every process answers for every account: nothing is left locked, parked or marked as running."""
        for account_id in list(self._records):
            future = process.writer.submit_future(Request(account_id, Tick()))
            future.add_done_callback(partial(_wake, self.schedule, self.schedule.this_turn()))
            if not self.schedule.wait(PROBE_SECONDS_MAX * SECOND):
                raise InvariantBroken(f"process {process.number} does not answer for {account_id}")

    def _close(self) -> None:
        self._closed = True
        for process in self._processes:
            process.close()
        self._run_until_done([])
        for process in self._processes:
            if not process.ended or process.writer.waiting:
                raise InvariantBroken(f"process {process.number} does not end")

    def _see(self, row: Transaction) -> None:
        self._record(row.account_id).see(row)

    def _record(self, account_id: str) -> AccountRecord:
        record = self._records.get(account_id)
        if record is None:
            record = self._records[account_id] = AccountRecord()
        return record


def _wake(schedule: Schedule, waiting: tuple[Task, int], _: object) -> None:
    schedule.wake(*waiting)


def simulate(seed: str, commands: int, make_store: MakeStore = SimulatedStore) -> RunResult | Failure:
    """Run the simulation without the ledger's log, because its faults are intended."""
    log = logging.getLogger("sixpence.ledger")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    simulation = Simulation(seed, commands, make_store)
    try:
        return simulation.run()
    except InvariantBroken as wrong:
        return simulation.failed(str(wrong))
    except Exception:  # noqa: BLE001 - whatever it is, the seed that reproduces it is reported
        return simulation.failed(traceback.format_exc())
    finally:
        simulation.schedule.end_all()
        log.setLevel(level)
