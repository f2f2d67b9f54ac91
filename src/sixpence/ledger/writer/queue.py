"""The queue of commands: bounded, in order for each account, never two batches at once for one account.

An account that another session holds is blocked: its commands wait for a later batch, up to their deadline, and no
other account waits with it. Not here: the threads that take from the queue (`writer`).
"""

from collections import deque
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from sixpence.ledger.writer.runtime import THREADS, Runtime
from sixpence.ledger.writer.throughput import Throughput

T = TypeVar("T")
BLOCKED_RETRY_SECONDS = 0.01


class QueueEntry(Generic[T]):
    """A queued item of an account, with its deadline (monotonic seconds).

    `locked_elsewhere` says whether a batch returned it because another session held the account.
    """

    __slots__ = ("account_id", "deadline", "item", "locked_elsewhere")

    def __init__(self, account_id: str, deadline: float, item: T) -> None:
        self.account_id = account_id
        self.deadline = deadline
        self.item = item
        self.locked_elsewhere = False


class QueueBatch(Generic[T]):
    """Entries for one batch, whether it waits for locks, and entries past their deadline."""

    __slots__ = ("entries", "expired", "wait")

    def __init__(self) -> None:
        self.entries: list[QueueEntry[T]] = []
        self.expired: list[QueueEntry[T]] = []
        self.wait = True


class CommandQueue(Generic[T]):
    """Queued entries by account. Any thread calls `put`; the workers call `take` and `finish`."""

    def __init__(self, *, size_max: int, runtime: Runtime = THREADS) -> None:
        self._size_max = size_max
        self._monotonic = runtime.monotonic
        self._changed = runtime.condition()
        self._by_account: dict[str, deque[QueueEntry[T]]] = {}
        self._ready: deque[str] = deque()
        self._blocked: dict[str, float] = {}
        self._running: set[str] = set()
        self._jobs: deque[Callable[[], None]] = deque()
        self._job_was_last = False
        self._size = 0
        self._closed = False
        self._throughput = Throughput()

    def __len__(self) -> int:
        return self._size

    @property
    def wait_seconds(self) -> float:
        """How long a new entry will probably wait, excluding the entries of blocked accounts."""
        blocked = sum(len(self._by_account.get(account_id, ())) for account_id in tuple(self._blocked))
        return self._throughput.estimate_seconds(self._size - blocked)

    def put(self, entry: QueueEntry[T]) -> bool | None:
        """Add an entry; returns False when the queue is full, None when it is closed."""
        with self._changed:
            if self._closed:
                return None
            if self._size >= self._size_max:
                return False
            self._append(entry)
            self._changed.notify()
            return True

    def put_job(self, job: Callable[[], None]) -> bool:
        """Add a job for a worker's thread, to run between batches; returns False when the queue is closed."""
        with self._changed:
            if self._closed:
                return False
            self._jobs.append(job)
            self._changed.notify()
            return True

    def take(self, size_max: int) -> QueueBatch[T] | Callable[[], None] | None:
        """Wait for the next batch or job; returns None once the queue is closed and empty."""
        was_ready = True
        with self._changed:
            while True:
                # Jobs and batches alternate, so that neither starves the other.
                if self._jobs and not self._job_was_last:
                    self._job_was_last = True
                    return self._jobs.popleft()
                taken = self._take(size_max)
                self._job_was_last = False
                if taken.entries or taken.expired:
                    self._throughput.record_batch(len(taken.entries), now=self._monotonic(), was_ready=was_ready)
                    return taken
                if self._jobs:
                    continue
                if self._closed and not self._by_account:
                    return None
                was_ready = False
                self._changed.wait(self._wait_timeout())

    def finish(self, account_ids: Collection[str], blocked: list[QueueEntry[T]]) -> None:
        """End the batch of these accounts; `blocked` are its entries whose account another session held."""
        with self._changed:
            self._running.difference_update(account_ids)
            for entry in reversed(blocked):
                entry.locked_elsewhere = True
                self._by_account.setdefault(entry.account_id, deque()).appendleft(entry)
                self._size += 1
            retry_at = self._monotonic() + BLOCKED_RETRY_SECONDS
            for entry in blocked:
                self._blocked[entry.account_id] = retry_at
            for account_id in account_ids:
                if account_id in self._by_account and account_id not in self._blocked:
                    self._ready.append(account_id)
            self._changed.notify_all()

    def close(self) -> None:
        """Refuse new entries; queued ones are still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _append(self, entry: QueueEntry[T]) -> None:
        entries = self._by_account.get(entry.account_id)
        if entries is None:
            entries = self._by_account[entry.account_id] = deque()
            if entry.account_id not in self._running:
                self._ready.append(entry.account_id)
        entries.append(entry)
        self._size += 1

    def _take(self, size_max: int) -> QueueBatch[T]:
        taken: QueueBatch[T] = QueueBatch()
        now = self._monotonic()
        if self._blocked:
            self._take_blocked(taken, size_max, now)
        while self._ready and len(taken.entries) < size_max:
            self._take_from(taken, self._ready.popleft(), size_max, now)
        return taken

    def _take_blocked(self, taken: QueueBatch[T], size_max: int, now: float) -> None:
        for account_id in [account_id for account_id, retry_at in self._blocked.items() if retry_at <= now]:
            if len(taken.entries) < size_max:
                del self._blocked[account_id]
                taken.wait = False
                self._take_from(taken, account_id, size_max, now)

    def _take_from(self, taken: QueueBatch[T], account_id: str, size_max: int, now: float) -> None:
        entries = self._by_account[account_id]
        running = False
        while entries and len(taken.entries) < size_max:
            entry = entries.popleft()
            self._size -= 1
            if entry.deadline < now:
                taken.expired.append(entry)
            else:
                taken.entries.append(entry)
                running = True
        if not entries:
            del self._by_account[account_id]
        if running:
            self._running.add(account_id)
        elif entries:
            self._ready.append(account_id)

    def _wait_timeout(self) -> float | None:
        if not self._blocked:
            return None
        return max(0.001, min(self._blocked.values()) - self._monotonic())
