"""One run: processes, clients and weather over one database, then calm, and then the proof.

A seed and a number of commands say all of it. In the calm nothing goes wrong any more: whatever was left open is sent
again until it is answered, every account is knocked at through every process, and all processes end. Then it is proved.
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
from tests.lockstep.world import CATALOGS
from tests.simulation.asking import Book
from tests.simulation.client import Client
from tests.simulation.database import Database
from tests.simulation.faults import QUIET, draw_faults
from tests.simulation.process import Bounds, MakeStore, Process
from tests.simulation.proving import contents, prove
from tests.simulation.schedule import SECOND, Schedule, Task
from tests.simulation.store import SimulatedStore
from tests.simulation.trace import Trace, Wrong
from tests.simulation.weather import Weather
from tests.simulation.witness import Intent, Witness

# How long the calm may last, and how long a knock, in the simulation's own time.
CALM_SECONDS_MAX = 120
KNOCK_SECONDS_MAX = 60
# How long nobody may get an answer that says something: that, and some of the longest lives of a lost transaction.
SILENCE_SECONDS_MAX = 30
_LIVES_IN_A_ROW = 6
# How long a transaction may be open, with a client or without.
OPEN_SECONDS_MAX = 60
# After so many commands a new account takes the place of the oldest one.
COMMANDS_A_BIRTH = 100
_AFTER_A_CRASH_MAX = SECOND // 5
_ACCOUNT = re.compile(r"user-\d+@example\.com")


class Tried(msgspec.Struct, frozen=True):
    """What a run tried; the digest is of everything that happened and of every byte that was durable in the end."""

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
    """What was wrong, when, and what happened before."""

    what: str
    command: int
    story: list[str]


class World:
    """Everything of one run."""

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
        self._silence_max = SILENCE_SECONDS_MAX * SECOND + _LIVES_IN_A_ROW * self.faults.lingers_max
        self._skew_max = random.choice((1, SECOND, 3_600 * SECOND))
        self._accounts_at_once = random.choice((5, 40, 150))
        self._books: dict[str, Book] = {}
        self._left: list[Intent] = []
        self._processes: list[Process] = []
        self._started = 0
        self._closed = False

    def run(self) -> Tried:
        """All of it; raises `Wrong` for what may not be."""
        for _ in range(self.random.choice((1, 2, 3))):
            self._start_process()
        Weather(self).begin()
        clients = [Client(self) for _ in range(self.random.choice((4, 20, 60)))]
        self._go_on(self._tasks([client.run for client in clients]), None)
        self._become_calm()
        self._go_on([])
        self._go_on(self._tasks([partial(self._see_to_what_is_left, client) for client in clients]))
        self._go_on([])
        self._go_on(self._tasks([partial(self._knock, process) for process in self._processes]))
        self._close()
        rows = prove(self.database, self.witness)
        self.trace.note("contents", contents(self.database))
        return Tried(
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
        """What to tell of a run that ended so."""
        named = _ACCOUNT.search(what)
        return Failure(what[-2_000:], len(self.witness.intents), self.trace.story(named[0] if named else ""))

    # What clients and weather ask of it.

    def next_intent(self, draw: Callable[[], Intent]) -> Intent | None:
        """Something new to want, as long as the run is to go on."""
        return draw() if len(self.witness.intents) < self._commands else None

    def leave_for_later(self, intent: Intent) -> None:
        """A caller gives up for now."""
        self.trace.fault("left for later", intent.number)
        self._left.append(intent)

    def some_process(self) -> Process | None:
        """A process that takes requests."""
        there = [process for process in self._processes if process.takes]
        return self.random.choice(there) if there else None

    def some_account(self) -> tuple[str, Book]:
        """An account, some of them much more often than others; as time goes on new ones take the place of old ones."""
        born = len(self.witness.intents) // COMMANDS_A_BIRTH
        account_id = f"user-{born + int(self._accounts_at_once * self.random.random() ** 2)}@example.com"
        return account_id, self._book(account_id)

    # Its phases.

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

    def _go_on(self, tasks: list[Task], seconds_max: int | None = CALM_SECONDS_MAX) -> None:
        """Let things happen until these tasks have ended; without any, until nothing is left that could happen."""
        until = None if seconds_max is None else self.schedule.now + seconds_max * SECOND
        while not tasks or not all(task.done for task in tasks):
            if not self.schedule.step():
                if tasks:
                    raise Wrong("somebody waits, and nothing happens any more")
                return
            self._replace_the_dead()
            if until is not None and self.schedule.now > until:
                raise Wrong("it does not come to rest")
            self._look_for_standstill(bool(tasks))

    def _look_for_standstill(self, somebody_waits: bool) -> None:
        now = self.schedule.now
        oldest = next(iter(self.database.sessions), None)
        if oldest is not None and now > oldest.began_at + OPEN_SECONDS_MAX * SECOND:
            raise Wrong(f"a transaction was left open {OPEN_SECONDS_MAX} seconds ago")
        if somebody_waits and now > self.witness.answered_at + self._silence_max:
            raise Wrong(f"nobody has been answered for {self._silence_max // SECOND} seconds")

    def _replace_the_dead(self) -> None:
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

    def _see_to_what_is_left(self, client: Client) -> None:
        while self._left:
            client.see_to(self._left.pop())

    def _knock(self, process: Process) -> None:
        """Every account answers through every process: nothing is left locked, parked or taken as running."""
        for account_id in list(self._books):
            future = process.writer.submit_future(Request(account_id, Tick()))
            future.add_done_callback(partial(_wake, self.schedule, self.schedule.this_turn()))
            if not self.schedule.wait(KNOCK_SECONDS_MAX * SECOND):
                raise Wrong(f"process {process.number} does not answer for {account_id}")

    def _close(self) -> None:
        self._closed = True
        for process in self._processes:
            process.close()
        self._go_on([])
        for process in self._processes:
            if not process.ended or process.writer.waiting:
                raise Wrong(f"process {process.number} does not end")

    def _see(self, row: Transaction) -> None:
        self._book(row.account_id).see(row)

    def _book(self, account_id: str) -> Book:
        book = self._books.get(account_id)
        if book is None:
            book = self._books[account_id] = Book()
        return book


def _wake(schedule: Schedule, waiting: tuple[Task, int], _: object) -> None:
    schedule.wake(*waiting)


def simulate(seed: str, commands: int, make_store: MakeStore = SimulatedStore) -> Tried | Failure:
    """Run it, with the ledger's log kept quiet: what goes wrong here goes wrong on purpose."""
    log = logging.getLogger("sixpence.ledger")
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    world = World(seed, commands, make_store)
    try:
        return world.run()
    except Wrong as wrong:
        return world.failed(str(wrong))
    except Exception:  # noqa: BLE001 - whatever it is, what reproduces it is told
        return world.failed(traceback.format_exc())
    finally:
        world.schedule.end_all()
        log.setLevel(level)
