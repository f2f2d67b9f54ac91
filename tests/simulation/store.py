"""The store of the simulation: what a lane asks of a database, statement by statement, with faults in between.

It goes the way of the store over PostgreSQL: make, lock in the order of the numbers, read the clock and the keys, then
what the commands name; append and commit at once; and after a lost COMMIT a session that waits for the account. Between
the statements others go on. Here a connection is lost, two sessions meet in a deadlock, a COMMIT stays unanswered or a
whole process dies; which and when is drawn.
"""

from collections.abc import Mapping
from typing import Protocol

from sixpence.core.account.account import Account
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.database.account_numbers import load_by_id
from sixpence.ledger.writer.prefetch import prefetch_after_lock
from sixpence.ledger.writer.store import (
    Append,
    BatchNeeds,
    ConnectionLostError,
    ContendedError,
    Loaded,
    LockTimeoutError,
    RowRejectedError,
)
from tests.simulation.database import Database, Session
from tests.simulation.faults import AT_COMMIT, AT_POINTS, MILLISECOND, Faults, draw_kind
from tests.simulation.reading import read_needed
from tests.simulation.trace import Wrong

LOCK_WAIT = 50 * MILLISECOND
LOCK_BRIEFLY = 1 * MILLISECOND
SETTLE_PATIENTLY = 5_000 * MILLISECOND
# How long the server takes to notice that a connection was closed, at most.
CLOSING_MAX = 2 * MILLISECOND
POISON = "poison"


class Surroundings(Protocol):
    """What a store knows of the process it belongs to."""

    faults: Faults
    skew: int
    dead: bool

    def crash_soon(self) -> None:
        """The process dies before this task goes on."""


class SimulatedStore:
    """A batch on the simulated database; one lane's alone."""

    def __init__(self, database: Database, process: Surroundings) -> None:
        self.database = database
        self.process = process
        self.session: Session | None = None
        self.busy: set[str] = set()

    def load(self, asked: BatchNeeds) -> Loaded:
        """Begin, make, lock and read."""
        database = self.database
        session = self.begin()
        self.busy = set()
        self.point("begin")
        accounts = load_by_id(asked.account_ids, lambda by_no: self.locked(session, asked, by_no))
        self.point("locked")
        clock = database.clock() + self.process.skew
        priced_by = database.priced_by
        session.version = priced_by.version
        wanted = prefetch_after_lock(asked, accounts, clock=clock)
        if wanted:
            self.point("named")
        return Loaded(
            clock=clock,
            priced_by=priced_by,
            accounts=accounts,
            replays=self.replays(asked, accounts),
            busy=frozenset(self.busy),
            past=read_needed(database, asked, accounts, wanted),
            active_api_keys=frozenset(database.permits.intersection(asked.api_key_hashes)),
        )

    def append(self, append: Append) -> None:
        """Write and commit."""
        session = self._open()
        self.point("append")
        if any(row.generation_id == POISON for row in append.rows):
            session.roll_back()
            self.database.schedule.trace.fault("poisoned")
            raise RowRejectedError("a row that the database does not take")
        session.send(append)
        random = self.database.schedule.random
        if random.random() < self.process.faults.at_commit:
            self._fail_to_commit(session, draw_kind(random, AT_COMMIT))
        self._pass_on(session)
        _commit(session)
        self.session = None
        self.database.schedule.pass_on()

    def roll_back(self) -> None:
        """Undo what was begun."""
        if self.session is not None and not self.process.dead:
            self.session.roll_back()
            self.session = None

    def was_committed(self, row: Transaction) -> bool:
        """Have the account on a new connection, which waits for the old transaction to end, and look."""
        self.close()
        session = self.begin()
        self.point("settle")
        found = self.settled(session, row)
        if session.ended:
            self.session = None
            raise ConnectionLostError("the server fell while an account was waited for")
        self.roll_back()
        if found is None:
            raise ConnectionLostError("the account was not free in time")
        return found

    def close(self) -> None:
        """Leave the connection; the server undoes what was begun a little later."""
        if self.session is not None and not self.process.dead:
            self.session.linger(self.database.schedule.random.randrange(CLOSING_MAX), commits=False)
            self.session = None

    # The parts, which a test may take away one by one to see what comes of it.

    def begin(self) -> Session:
        """A transaction of its own."""
        if not self.database.up:
            raise ConnectionLostError("the server is down")
        if self.session is not None:
            raise Wrong("a batch began and the one before has not ended")
        self.session = Session(self.database)
        return self.session

    def point(self, where: str) -> None:
        """A point at which others go on, and at which something may go wrong."""
        session = self._open()
        self._pass_on(session)
        schedule = self.database.schedule
        if schedule.random.random() >= self.process.faults.at_point:
            return
        kind = draw_kind(schedule.random, AT_POINTS)
        schedule.trace.fault(kind, where)
        if kind == "crash":
            self.process.crash_soon()
            schedule.pass_on()
        elif kind == "deadlock" and where != "settle":
            session.roll_back()
            self.session = None
            raise ContendedError(where)
        self._lose(session, commits=False)
        raise ConnectionLostError(where)

    def locked(self, session: Session, asked: BatchNeeds, by_no: Mapping[int, str]) -> dict[int, Account]:
        """The accounts of these numbers, made where they may be, locked in their order, and read."""
        numbers = sorted(by_no)
        patience = LOCK_WAIT if asked.wait else LOCK_BRIEFLY
        making = set(asked.create_ids)
        for number in numbers:
            if by_no[number] in making and not session.make(number, by_no[number], patience):
                self._give_up(session, by_no[number])
        found = {}
        for number in numbers:
            if not session.sees(number):
                continue
            if asked.wait and not session.lock(number, patience):
                self._give_up(session, by_no[number])
            if asked.wait or session.lock_if_free(number):
                found[number] = session.read(number)
            else:
                self.busy.add(by_no[number])
                self.database.held_at[by_no[number]] = self.database.schedule.now
        return found

    def replays(self, asked: BatchNeeds, accounts: Mapping[str, Account], /) -> dict[tuple[str, str], Transaction]:
        """The rows of the keys that the commands carry."""
        keys = self.database.keys
        return {
            (name, key): row
            for name, key in asked.keys
            if name in accounts and (row := keys.get((accounts[name].account_no, key))) is not None
        }

    def settled(self, session: Session, row: Transaction, /) -> bool | None:
        """Whether the row stands, looked at under the account's lock; None where that was not to be had."""
        if not session.make(row.account_no, row.account_id, SETTLE_PATIENTLY):
            return None
        if not session.lock(row.account_no, SETTLE_PATIENTLY):
            return None
        there = self.database.rows.get(row.account_no, {}).get(row.seq)
        return there is not None and there.hash == row.hash

    # What goes wrong.

    def _open(self) -> Session:
        assert self.session is not None
        return self.session

    def _pass_on(self, session: Session) -> None:
        self.database.schedule.pass_on()
        if session.ended:
            self.session = None
            raise ConnectionLostError("the server fell")

    def _give_up(self, session: Session, account_id: str) -> None:
        if session.ended:
            self.session = None
            raise ConnectionLostError("the server fell while an account was waited for")
        self.database.held_at[account_id] = self.database.schedule.now
        self.database.schedule.trace.fault("lock wait", account_id)
        raise LockTimeoutError(account_id)

    def _lose(self, session: Session, *, commits: bool) -> None:
        self.session = None
        session.linger(self.database.schedule.random.randrange(self.process.faults.lingers_max), commits=commits)

    def _fail_to_commit(self, session: Session, kind: str) -> None:
        self.database.schedule.trace.fault(kind)
        match kind:
            case "crash while committing":
                self.process.crash_soon()
                self.database.schedule.pass_on()
            case "lost before commit":
                session.roll_back()
            case "commit unknown, done":
                _commit(session)
            case "commit unknown, done later":
                self._lose(session, commits=True)
            case "commit unknown, undone later":
                self._lose(session, commits=False)
        self.session = None
        raise ConnectionLostError(kind)


def _commit(session: Session) -> None:
    """Commit; the constraints are a second line that a sound writer never meets."""
    try:
        session.commit()
    except RowRejectedError as error:
        raise Wrong(f"the database had to refuse a batch: {error}") from error
