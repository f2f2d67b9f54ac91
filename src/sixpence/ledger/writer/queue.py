"""The commands that wait: bounded, in order for each account, never two batches at once for one account.

An account that another session holds is parked: its commands wait for a later batch, up to their deadline, and nobody
else's do. No threads here, only the lock and the wake-up they share.
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from sixpence.ledger.writer.runtime import ON_THREADS, Running
from sixpence.ledger.writer.throughput import Pace

T = TypeVar("T")
PARKED_SECONDS = 0.01


class Waiting(Generic[T]):
    """One entry: for which account, until when (monotonic seconds), what, and whether someone else held the account."""

    __slots__ = ("account_id", "deadline", "held_elsewhere", "item")

    def __init__(self, account_id: str, deadline: float, item: T) -> None:
        self.account_id = account_id
        self.deadline = deadline
        self.item = item
        self.held_elsewhere = False


class Taken(Generic[T]):
    """What a lane took: the entries of its batch, whether to wait for locks, and entries whose time ran out."""

    __slots__ = ("entries", "late", "wait")

    def __init__(self) -> None:
        self.entries: list[Waiting[T]] = []
        self.late: list[Waiting[T]] = []
        self.wait = True


class CommandQueue(Generic[T]):
    """Waiting commands by account. `put` is called by anybody, `take` and `done` by the lanes."""

    def __init__(self, *, size_max: int, running: Running = ON_THREADS) -> None:
        self._size_max = size_max
        self._monotonic = running.monotonic
        self._changed = running.condition()
        self._by_account: dict[str, deque[Waiting[T]]] = {}
        self._ready: deque[str] = deque()
        self._parked: dict[str, float] = {}
        self._running: set[str] = set()
        self._jobs: deque[Callable[[], None]] = deque()
        self._job_was_last = False
        self._size = 0
        self._closed = False
        self._pace = Pace()

    def __len__(self) -> int:
        return self._size

    @property
    def wait_seconds(self) -> float:
        """How long what is put now is likely to wait, whatever waits for an account that somebody else holds aside."""
        parked = sum(len(self._by_account.get(account_id, ())) for account_id in tuple(self._parked))
        return self._pace.seconds_for(self._size - parked)

    def put(self, entry: Waiting[T]) -> bool | None:
        """Let it wait; False when the queue is full, None when it is closed."""
        with self._changed:
            if self._closed:
                return None
            if self._size >= self._size_max:
                return False
            self._append(entry)
            self._changed.notify()
            return True

    def put_job(self, job: Callable[[], None]) -> bool:
        """Let a job run on a lane's thread between batches; False when the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            self._jobs.append(job)
            self._changed.notify()
            return True

    def take(self, size_max: int) -> Taken[T] | Callable[[], None] | None:
        """The next batch or job; waits for one, and gives None once the queue is closed and empty."""
        at_once = True
        with self._changed:
            while True:
                # One job, then a batch if one waits: neither keeps the other out.
                if self._jobs and not self._job_was_last:
                    self._job_was_last = True
                    return self._jobs.popleft()
                taken = self._take(size_max)
                self._job_was_last = False
                if taken.entries or taken.late:
                    self._pace.taken(len(taken.entries), now=self._monotonic(), at_once=at_once)
                    return taken
                if self._jobs:
                    continue
                if self._closed and not self._by_account:
                    return None
                at_once = False
                self._changed.wait(self._pause())

    def done(self, account_ids: Collection[str], again: list[Waiting[T]]) -> None:
        """The batch with these accounts has ended; `again` are its entries whose account was held by someone else."""
        with self._changed:
            self._running.difference_update(account_ids)
            for entry in reversed(again):
                entry.held_elsewhere = True
                self._by_account.setdefault(entry.account_id, deque()).appendleft(entry)
                self._size += 1
            retry_at = self._monotonic() + PARKED_SECONDS
            for entry in again:
                self._parked[entry.account_id] = retry_at
            for account_id in account_ids:
                if account_id in self._by_account and account_id not in self._parked:
                    self._ready.append(account_id)
            self._changed.notify_all()

    def close(self) -> None:
        """Accept nothing more; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _append(self, entry: Waiting[T]) -> None:
        entries = self._by_account.get(entry.account_id)
        if entries is None:
            entries = self._by_account[entry.account_id] = deque()
            if entry.account_id not in self._running:
                self._ready.append(entry.account_id)
        entries.append(entry)
        self._size += 1

    def _take(self, size_max: int) -> Taken[T]:
        taken: Taken[T] = Taken()
        now = self._monotonic()
        if self._parked:
            self._take_parked(taken, size_max, now)
        while self._ready and len(taken.entries) < size_max:
            self._take_from(taken, self._ready.popleft(), size_max, now)
        return taken

    def _take_parked(self, taken: Taken[T], size_max: int, now: float) -> None:
        for account_id in [account_id for account_id, retry_at in self._parked.items() if retry_at <= now]:
            if len(taken.entries) < size_max:
                del self._parked[account_id]
                taken.wait = False
                self._take_from(taken, account_id, size_max, now)

    def _take_from(self, taken: Taken[T], account_id: str, size_max: int, now: float) -> None:
        entries = self._by_account[account_id]
        running = False
        while entries and len(taken.entries) < size_max:
            entry = entries.popleft()
            self._size -= 1
            if entry.deadline < now:
                taken.late.append(entry)
            else:
                taken.entries.append(entry)
                running = True
        if not entries:
            del self._by_account[account_id]
        if running:
            self._running.add(account_id)
        elif entries:
            self._ready.append(account_id)

    def _pause(self) -> float | None:
        if not self._parked:
            return None
        return max(0.001, min(self._parked.values()) - self._monotonic())
