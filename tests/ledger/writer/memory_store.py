"""A store that keeps everything in memory, for tests of the queue, the lanes and the writer: deterministic, and honest.

It holds to `Store`: what is begun is undone unless it is committed, and accounts are locked, here against every other
store over the same `Shelf`. A test can take an account as another session would, and say what the next calls run into.
"""

import threading
from collections import deque
from collections.abc import Callable

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Holds
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog, PricedBy
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.rows import HoldRow, hold_from_document
from sixpence.ledger.writer.prefetch import Place, grants_of, needed, past_of, roots_of
from sixpence.ledger.writer.revoked_grants import Scan, has_word, read_revoked
from sixpence.ledger.writer.store import Append, Asked, Loaded, LockWaitError, RowRejectedError

CLOCK = 1_772_366_400_000_000


class Shelf:
    """What is durable, and which accounts somebody holds."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.rows: list[Transaction] = []
        self.holds: dict[Place, HoldRow] = {}
        self.permits: set[bytes] = set()
        self.held: dict[str, object] = {}
        self.overlaps: list[str] = []
        self.batches: list[tuple[str, ...]] = []
        self.guard = threading.Lock()

    def hold(self, account_id: str) -> None:
        """Takes an account as another session would."""
        with self.guard:
            self.held[account_id] = self

    def let_go(self, account_id: str) -> None:
        """Gives it back."""
        with self.guard:
            del self.held[account_id]


class MemoryStore:
    """A store over a shelf; `loads` and `appends` name what the next calls raise, `pass` meaning nothing."""

    def __init__(
        self, shelf: Shelf, *, clock: Callable[[], int] = lambda: CLOCK, catalog: Catalog = DEFAULT_CATALOG
    ) -> None:
        self.shelf = shelf
        self._clock = clock
        self._priced_by = PricedBy(1, catalog)
        self.loads: deque[Exception | None] = deque()
        self.appends: deque[Exception | None] = deque()
        self.commit_before_error = False
        self.refused_ids: set[str] = set()
        self.gate: threading.Event | None = None
        self.loading = threading.Event()
        self.asked: list[Asked] = []
        self._mine: set[str] = set()

    def load(self, asked: Asked) -> Loaded:
        """Lock and read; waits for nobody, so an account that is held is at once one waited for in vain."""
        self.asked.append(asked)
        self.loading.set()
        if self.gate is not None:
            self.gate.wait(10)
        _raise_next(self.loads)
        shelf = self.shelf
        with shelf.guard:
            elsewhere = {name for name in asked.account_ids if shelf.held.get(name, self) is not self}
            if elsewhere and asked.wait:
                raise LockWaitError(", ".join(sorted(elsewhere)))
            shelf.batches.append(asked.account_ids)
            self._mine = set(asked.account_ids) - elsewhere
            shelf.overlaps += [name for name in self._mine if name in shelf.held]
            shelf.held |= dict.fromkeys(self._mine, self)
            accounts = {name: shelf.accounts[name].copy() for name in self._mine if name in shelf.accounts}
            for name in asked.making:
                if name in self._mine:
                    accounts.setdefault(name, Account(account_no=account_no(name), account_id=name))
            replays = {
                (row.account_id, str(row.idempotency_key)): row
                for row in shelf.rows
                if (row.account_id, row.idempotency_key) in asked.keys
            }
            clock = self._clock()
            past = self._read_needed(asked, accounts, clock)
        return Loaded(
            clock,
            self._priced_by,
            accounts,
            replays,
            busy=frozenset(elsewhere),
            past=past,
            permitted=frozenset(shelf.permits.intersection(asked.permits)),
        )

    def _read_needed(self, asked: Asked, accounts: dict[str, Account], clock: int) -> dict[str, Past]:
        """Read as a database does: holds by expiry or by place, transactions by place and by what they are about."""
        wanted = needed(asked, accounts, clock=clock)
        found = [self.shelf.holds[place] for place in wanted.holds if place in self.shelf.holds]
        for one in wanted.open_holds:
            waiting = [hold for hold in self.shelf.holds.values() if hold.state == "open"]
            waiting = sorted(
                (hold for hold in waiting if hold.account_no == one.account_no),
                key=lambda hold: (hold.expires_at, hold.seq),
            )
            due = sum(hold.expires_at <= one.due_by for hold in waiting)
            found += waiting[: due + one.beyond]
        by_no = {account.account_no: account for account in accounts.values()}
        for row in found:
            by_no[row.account_no].holds[row.id] = hold_from_document(row.document)
        rows = self._past_rows(wanted.past)
        rows += self._past_rows(grants_of(asked, accounts, rows))
        rows += self._past_rows(roots_of(rows))
        rows += read_revoked(asked, accounts, rows, self._rows_naming)
        return past_of(asked, accounts, rows)

    def _past_rows(self, places: list[Place]) -> list[Transaction]:
        return [
            row
            for row in self.shelf.rows
            if (row.account_no, row.seq) in places or (row.account_no, row.about_seq) in places
        ]

    def _rows_naming(self, scans: list[Scan]) -> list[Transaction]:
        return [
            row
            for scan in scans
            for row in self.shelf.rows
            if row.account_no == scan.account_no and row.seq > scan.above and has_word(row, scan.words)
        ]

    def append(self, append: Append) -> None:
        """Commit, unless the test wants otherwise."""
        if any(row.account_id in self.refused_ids for row in append.rows):
            raise RowRejectedError("refused by the test")
        if self.commit_before_error:
            self._commit(append)
        _raise_next(self.appends)
        self._commit(append)

    def abandon(self) -> None:
        """Let the locks go."""
        with self.shelf.guard:
            for name in self._mine:
                self.shelf.held.pop(name, None)
            self._mine = set()

    def was_committed(self, row: Transaction) -> bool:
        """Whether the row stands."""
        self.close()
        _raise_next(self.loads)
        return row in self.shelf.rows

    def close(self) -> None:
        """The end of a connection undoes what it had begun."""
        self.abandon()

    def _commit(self, append: Append) -> None:
        with self.shelf.guard:
            self.shelf.rows += append.rows
            for account in append.accounts:
                self.shelf.accounts[account.account_id] = msgspec.structs.replace(account, holds=Holds())
            self.shelf.holds |= {(hold.account_no, hold.seq): hold for hold in append.holds}
        self.abandon()


def _raise_next(errors: "deque[Exception | None]") -> None:
    error = errors.popleft() if errors else None
    if error is not None:
        raise error
