"""The simulated database: the durable rows, the locks on accounts, and the running sessions.

It promises what Sixpence needs from PostgreSQL under READ COMMITTED, and no more. Rows are locked one by one. Until its
COMMIT, only its own session sees a new account, and others that insert it wait. A commit is atomic. A session without
its client stays for a while, with its locks. Keys and places in the ledger are unique. Not here: the faults (`store`,
`fault_schedule`).
"""

from collections.abc import Callable
from functools import partial

from sixpence.core.account.account import Account
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import Catalog, PricedBy
from sixpence.ledger.database.rows import AccountRow, HoldRow, account_from_row, account_to_row
from sixpence.ledger.writer.store import Append, RowRejectedError
from tests.simulation.schedule import Condition, Schedule
from tests.simulation.trace import InvariantBroken

BEGAN_AT = 1_767_225_600_000_000


class Database:
    """The tables, the locks and the clock of the server."""

    def __init__(self, schedule: Schedule, catalog: Catalog) -> None:
        self.schedule = schedule
        self.up = True
        self.jumped = 0
        self.priced_by = PricedBy(1, catalog, BEGAN_AT)
        self.permits: set[bytes] = set()
        self.accounts: dict[int, AccountRow] = {}
        self.rows: dict[int, dict[int, Transaction]] = {}
        self.keys: dict[tuple[int, str], Transaction] = {}
        self.about: dict[tuple[int, int], list[Transaction]] = {}
        self.holds: dict[int, dict[int, HoldRow]] = {}
        self.open_holds: dict[int, dict[int, HoldRow]] = {}
        self.decided_by: dict[tuple[int, int], int] = {}
        self.outbox: list[str] = []
        self.locked: dict[int, Session] = {}
        self.sessions: dict[Session, None] = {}
        self.freed = Condition(schedule)
        self.commits = 0
        self.held_at: dict[str, int] = {}
        self.watch: Callable[[Transaction], None] = lambda _: None

    def clock(self) -> int:
        """The server's clock."""
        return BEGAN_AT + self.schedule.now + self.jumped

    def apply(self, catalog: Catalog) -> None:
        """Apply the catalog."""
        before = self.priced_by
        earlier = (*before.earlier, PricedBy(before.version, before.catalog, before.applied_at))
        self.priced_by = PricedBy(before.version + 1, catalog, max(self.clock(), before.applied_at), earlier)

    def version(self, number: int) -> PricedBy:
        """The catalogs as they were when that version was the newest."""
        every = (*self.priced_by.earlier, self.priced_by)
        return PricedBy(number, every[number - 1].catalog, every[number - 1].applied_at, every[: number - 1])

    def fall(self, delay: int) -> None:
        """The server dies and is up again after this delay; only committed rows remain."""
        self.up = False
        for session in list(self.sessions):
            session.finish(self.schedule.random.random() < 0.5)
        self.schedule.at(delay, self.rise)

    def rise(self) -> None:
        """The server is up again."""
        self.up = True


class Session:
    """A connection's transaction on the server: it continues without its client, and ends once."""

    def __init__(self, database: Database, version: int = 0) -> None:
        self.database = database
        self.version = version
        self.sent: Append | None = None
        self.ended = False
        self.began_at = database.schedule.now
        self._made: dict[int, str] = {}
        self._has: list[int] = []
        database.sessions[self] = None

    # Statements. Times are in microseconds; False if an account could not be locked in time.

    def make(self, number: int, account_id: str, patience: int) -> bool:
        """Insert a missing account; waits for another session that is inserting it."""
        if number in self.database.accounts:
            return True
        if not self._wait_for(number, patience):
            return False
        if number not in self.database.accounts:
            self._made[number] = account_id
            self._take(number)
        return True

    def sees(self, number: int) -> bool:
        """Whether this session sees the account's row."""
        return number in self.database.accounts or number in self._made

    def lock(self, number: int, patience: int) -> bool:
        """Lock the account until the transaction ends; waits for its current holder."""
        if not self._wait_for(number, patience):
            return False
        self._take(number)
        return True

    def lock_if_free(self, number: int) -> bool:
        """The same without waiting."""
        holder = self.database.locked.get(number, self)
        if holder is self:
            self._take(number)
        return holder is self

    def read(self, number: int) -> Account:
        """The account, from its row."""
        stored = self.database.accounts.get(number)
        if stored is None:
            return account_from_row(_columns(account_to_row(Account(number, self._made[number]))))
        return account_from_row(_columns(stored))

    def send(self, append: Append) -> None:
        """Send all of a batch's writes with its COMMIT; from here on the server may commit without the client."""
        self.sent = append

    def commit(self) -> None:
        """Commit all that was sent, or nothing."""
        if self.ended or self.sent is None:
            return
        database, append = self.database, self.sent
        try:
            self._check(append)
        except RowRejectedError:
            self.roll_back()
            raise
        for number, account_id in self._made.items():
            database.accounts[number] = account_to_row(Account(number, account_id))
        for row in append.rows:
            self._insert(row)
        for account in append.accounts:
            database.accounts[account.account_no] = account_to_row(account)
        for hold in append.holds:
            database.holds.setdefault(hold.account_no, {})[hold.seq] = hold
            still_open = database.open_holds.setdefault(hold.account_no, {})
            if hold.state == "open":
                still_open[hold.seq] = hold
            else:
                still_open.pop(hold.seq, None)
        for number in append.unused_account_nos:
            if number in database.accounts and database.accounts[number].seq == 0:
                del database.accounts[number]
        database.outbox.append(append.to_outbox_document())
        database.commits += 1
        for row in append.rows:
            database.schedule.trace.note("row", row.account_id, row.seq, row.kind, row.hash)
        self._end()

    def roll_back(self) -> None:
        """Roll back."""
        if not self.ended:
            self._end()

    def linger(self, delay: int, *, commits: bool) -> None:
        """The client is gone; the server ends the transaction after this delay, by a sent commit if `commits`."""
        self.database.schedule.at(delay, partial(self.finish, commits))

    def finish(self, commits: bool) -> None:
        """End without a client: by the commit that was sent, if `commits`, else by a rollback."""
        if commits:
            try:
                self.commit()
            except RowRejectedError as error:
                raise InvariantBroken(f"the database had to refuse a batch: {error}") from error
        self.roll_back()

    def _wait_for(self, number: int, patience: int) -> bool:
        database = self.database
        until = database.schedule.now + patience
        while database.locked.get(number, self) is not self:
            left = until - database.schedule.now
            if left <= 0:
                return False
            database.freed.wait(left / 1e6)
            if self.ended:
                return False
        return True

    def _take(self, number: int) -> None:
        if number not in self.database.locked:
            self.database.locked[number] = self
            self._has.append(number)

    def _check(self, append: Append) -> None:
        """Check the database's constraints."""
        database = self.database
        keys = [(row.account_no, row.idempotency_key) for row in append.rows if row.idempotency_key is not None]
        if len(set(keys)) < len(keys) or any(key in database.keys for key in keys):
            raise RowRejectedError("a key is there already")
        if any(row.seq in database.rows.get(row.account_no, ()) for row in append.rows):
            raise RowRejectedError("a place in the ledger is taken")
        if not all(self.sees(account.account_no) for account in append.accounts):
            raise RowRejectedError("accounts are gone")

    def _insert(self, row: Transaction) -> None:
        database = self.database
        database.rows.setdefault(row.account_no, {})[row.seq] = row
        database.decided_by[(row.account_no, row.seq)] = self.version
        if row.idempotency_key is not None:
            database.keys[(row.account_no, row.idempotency_key)] = row
        if row.about_seq is not None:
            database.about.setdefault((row.account_no, row.about_seq), []).append(row)
        database.watch(row)

    def _end(self) -> None:
        self.ended = True
        for number in self._has:
            if self.database.locked.get(number) is self:
                del self.database.locked[number]
        self.database.sessions.pop(self, None)
        self.database.freed.notify_all()


def _columns(row: AccountRow) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in row.__struct_fields__)
