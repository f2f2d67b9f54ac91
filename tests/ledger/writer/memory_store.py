"""A store in memory for tests of the queue, the workers and the writer: deterministic, with the rules of a database.

It keeps the promises of `Store`: uncommitted work is undone, and accounts are locked against every other store over the
same `SharedState`. A test can lock an account as another session would, and choose the errors of the next calls.
"""

import threading
from collections import deque
from collections.abc import Callable

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Holds
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.catalog.catalog import DEFAULT_CATALOG, Catalog, PricedBy
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.rows import HoldRow, hold_from_document
from sixpence.ledger.writer.prefetch import (
    RowKey,
    group_prior_transactions,
    prefetch_after_lock,
    replaced_grant_keys,
    source_grant_keys,
)
from sixpence.ledger.writer.revoked_grants import Scan, contains_word, scan_revoked_grants
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded, LockTimeoutError, RowRejectedError

CLOCK = 1_772_366_400_000_000


class SharedState:
    """The committed rows, and the locked accounts."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.rows: list[Transaction] = []
        self.holds: dict[RowKey, HoldRow] = {}
        self.permits: set[bytes] = set()
        self.held: dict[str, object] = {}
        self.overlaps: list[str] = []
        self.batches: list[tuple[str, ...]] = []
        self.guard = threading.Lock()

    def hold(self, account_id: str) -> None:
        """Lock an account as another session would."""
        with self.guard:
            self.held[account_id] = self

    def let_go(self, account_id: str) -> None:
        """Release the lock."""
        with self.guard:
            del self.held[account_id]


class MemoryStore:
    """A store over a shared state; `loads` and `appends` are the errors of the next calls, None for no error."""

    def __init__(
        self, state: SharedState, *, clock: Callable[[], int] = lambda: CLOCK, catalog: Catalog = DEFAULT_CATALOG
    ) -> None:
        self.state = state
        self._clock = clock
        self._priced_by = PricedBy(1, catalog)
        self.loads: deque[Exception | None] = deque()
        self.appends: deque[Exception | None] = deque()
        self.commit_before_error = False
        self.refused_ids: set[str] = set()
        self.gate: threading.Event | None = None
        self.loading = threading.Event()
        self.loaded_needs: list[BatchNeeds] = []
        self._mine: set[str] = set()

    def load(self, needs: BatchNeeds) -> Loaded:
        """Lock and read without waiting: a locked account times out at once."""
        self.loaded_needs.append(needs)
        self.loading.set()
        if self.gate is not None:
            self.gate.wait(10)
        _raise_next(self.loads)
        state = self.state
        with state.guard:
            elsewhere = {name for name in needs.account_ids if state.held.get(name, self) is not self}
            if elsewhere and needs.wait:
                raise LockTimeoutError(", ".join(sorted(elsewhere)))
            state.batches.append(needs.account_ids)
            self._mine = set(needs.account_ids) - elsewhere
            state.overlaps += [name for name in self._mine if name in state.held]
            state.held |= dict.fromkeys(self._mine, self)
            accounts = {name: state.accounts[name].copy() for name in self._mine if name in state.accounts}
            for name in needs.create_ids:
                if name in self._mine:
                    accounts.setdefault(name, Account(account_no=account_no(name), account_id=name))
            replays = {
                (row.account_id, str(row.idempotency_key)): row
                for row in state.rows
                if (row.account_id, row.idempotency_key) in needs.keys
            }
            clock = self._clock()
            past = self._read_needed(needs, accounts, clock)
        return Loaded(
            clock,
            self._priced_by,
            accounts,
            replays,
            busy=frozenset(elsewhere),
            past=past,
            active_api_keys=frozenset(state.permits.intersection(needs.api_key_hashes)),
        )

    def _read_needed(self, needs: BatchNeeds, accounts: dict[str, Account], clock: int) -> dict[str, PriorTransactions]:
        """Read like a database: holds by expiry or key, transactions by key and by the row they are about."""
        wanted = prefetch_after_lock(needs, accounts, clock=clock)
        found = [self.state.holds[place] for place in wanted.holds if place in self.state.holds]
        for one in wanted.open_holds:
            waiting = [hold for hold in self.state.holds.values() if hold.state == "open"]
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
        rows += self._past_rows(source_grant_keys(needs, accounts, rows))
        rows += self._past_rows(replaced_grant_keys(rows))
        rows += scan_revoked_grants(needs, accounts, rows, self._scan_texts)
        return group_prior_transactions(needs, accounts, rows)

    def _past_rows(self, keys: list[RowKey]) -> list[Transaction]:
        return [
            row
            for row in self.state.rows
            if (row.account_no, row.seq) in keys or (row.account_no, row.about_seq) in keys
        ]

    def _scan_texts(self, scans: list[Scan]) -> list[Transaction]:
        return [
            row
            for scan in scans
            for row in self.state.rows
            if row.account_no == scan.account_no and row.seq > scan.above and contains_word(row, scan.words)
        ]

    def append(self, append: Append) -> None:
        """Commit, unless the test set an error."""
        if any(row.account_id in self.refused_ids for row in append.rows):
            raise RowRejectedError("refused by the test")
        if self.commit_before_error:
            self._commit(append)
        _raise_next(self.appends)
        self._commit(append)

    def roll_back(self) -> None:
        """Release the locks."""
        with self.state.guard:
            for name in self._mine:
                self.state.held.pop(name, None)
            self._mine = set()

    def was_committed(self, row: Transaction) -> bool:
        """Whether the row is committed."""
        self.close()
        _raise_next(self.loads)
        return row in self.state.rows

    def close(self) -> None:
        """Roll back, as a closed connection does."""
        self.roll_back()

    def _commit(self, append: Append) -> None:
        with self.state.guard:
            self.state.rows += append.rows
            for account in append.accounts:
                self.state.accounts[account.account_id] = msgspec.structs.replace(account, holds=Holds())
            self.state.holds |= {(hold.account_no, hold.seq): hold for hold in append.holds}
        self.roll_back()


def _raise_next(errors: "deque[Exception | None]") -> None:
    error = errors.popleft() if errors else None
    if error is not None:
        raise error
