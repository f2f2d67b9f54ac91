"""The simulated store: a lane's database statements, with faults in between.

It has the statements of the PostgreSQL store: insert accounts, lock them in the order of their numbers, read the clock
and the keys, prefetch what the commands name, append and commit at once; and after a lost COMMIT a session that waits
for the account. Between statements other tasks run, and random faults happen: a lost connection, a deadlock, a COMMIT
without an answer, a crash of the process.
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
from tests.simulation.prefetch import read_needed
from tests.simulation.trace import InvariantBroken

LOCK_WAIT = 50 * MILLISECOND
LOCK_BRIEFLY = 1 * MILLISECOND
SETTLE_PATIENTLY = 5_000 * MILLISECOND
# The longest time until the server notices a closed connection.
CLOSING_MAX = 2 * MILLISECOND
POISON = "poison"


class StoreProcess(Protocol):
    """The part of its process that a store uses."""

    faults: Faults
    skew: int
    dead: bool

    def crash_soon(self) -> None:
        """The process dies before this task continues."""


class SimulatedStore:
    """One lane's store over the simulated database."""

    def __init__(self, database: Database, process: StoreProcess) -> None:
        self.database = database
        self.process = process
        self.session: Session | None = None
        self.busy: set[str] = set()

    def load(self, asked: BatchNeeds) -> Loaded:
        """Begin, insert accounts, lock and read."""
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
        """Roll back."""
        if self.session is not None and not self.process.dead:
            self.session.roll_back()
            self.session = None

    def was_committed(self, row: Transaction) -> bool:
        """Lock the account on a new connection, which waits for the old transaction to end, and look for the row."""
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
        """Close the connection; the server rolls back a little later."""
        if self.session is not None and not self.process.dead:
            self.session.linger(self.database.schedule.random.randrange(CLOSING_MAX), commits=False)
            self.session = None

    # The parts, which planted bugs replace one by one.

    def begin(self) -> Session:
        """Begin a transaction."""
        if not self.database.up:
            raise ConnectionLostError("the server is down")
        if self.session is not None:
            raise InvariantBroken("a batch began and the one before has not ended")
        self.session = Session(self.database)
        return self.session

    def point(self, where: str) -> None:
        """A point at which other tasks run, and at which a fault may happen."""
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
        """The accounts with these numbers, inserted if allowed, locked in order, and read."""
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
        """The rows of the commands' keys."""
        keys = self.database.keys
        return {
            (name, key): row
            for name, key in asked.keys
            if name in accounts and (row := keys.get((accounts[name].account_no, key))) is not None
        }

    def settled(self, session: Session, row: Transaction, /) -> bool | None:
        """Whether the row is committed, under the account's lock; None if the lock was not available."""
        if not session.make(row.account_no, row.account_id, SETTLE_PATIENTLY):
            return None
        if not session.lock(row.account_no, SETTLE_PATIENTLY):
            return None
        stored = self.database.rows.get(row.account_no, {}).get(row.seq)
        return stored is not None and stored.hash == row.hash

    # Faults.

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
    """Commit; a correct writer never violates the constraints."""
    try:
        session.commit()
    except RowRejectedError as error:
        raise InvariantBroken(f"the database had to refuse a batch: {error}") from error
