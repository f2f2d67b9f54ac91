"""One lane of the writer: runs a batch on its store until every request has its outcome, whatever happens."""

import logging
from collections.abc import Sequence

from sixpence.core.errors import (
    BrokenLedgerError,
    CreditSystemError,
    DatabaseUnavailableError,
    InternalError,
    OutcomeUnknownError,
)
from sixpence.ledger.writer.batch import Decided, Outcome, Request, asked_for, decide_batch
from sixpence.ledger.writer.runtime import ON_THREADS, Running
from sixpence.ledger.writer.store import (
    ConnectionLostError,
    ContendedError,
    LockWaitError,
    RowRejectedError,
    Store,
)

_log = logging.getLogger(__name__)

# How long a batch waits for a database that is away before its requests are answered with 503.
AWAY_SECONDS_MAX = 1.0
# How long the outcome of a lost COMMIT is looked for.
SETTLE_SECONDS_MAX = 8.0
PAUSE_SECONDS = 0.05
CONTENDED_TRIES_MAX = 20


class Lane:
    """Runs batches one after another on a store of its own; used by one thread."""

    def __init__(self, store: Store, running: Running = ON_THREADS) -> None:
        self._store = store
        self._monotonic = running.monotonic
        self._pause = running.pause

    def run(self, requests: Sequence[Request], *, wait: bool = True) -> list[Outcome | None]:
        """The outcomes in the order of the requests; None where another session holds the account."""
        away_until = self._monotonic() + AWAY_SECONDS_MAX
        contended = 0
        while True:
            try:
                return self._attempt(requests, wait=wait)
            except LockWaitError:
                self._store.abandon()
                if wait:
                    wait = False
                elif len({request.account_id for request in requests}) > 1:
                    return self._one_by_one(requests)
                else:
                    return [None] * len(requests)
            except ContendedError:
                self._store.abandon()
                contended += 1
                if contended > CONTENDED_TRIES_MAX:
                    return [None] * len(requests)
            except (RowRejectedError, BrokenLedgerError) as error:
                self._store.abandon()
                if len(requests) > 1:
                    return self._one_by_one(requests)
                _log.error("a command cannot be stored", extra={"cause": str(error)})
                return [InternalError()]
            except ConnectionLostError as error:
                self._store.close()
                if self._monotonic() > away_until:
                    _log.warning("the database is not available", extra={"cause": str(error)})
                    return [DatabaseUnavailableError()] * len(requests)
                self._pause(PAUSE_SECONDS)
            except CreditSystemError as error:
                self._store.close()
                return [error] * len(requests)
            except BaseException:
                # A defect of ours must not leave a transaction open, with its locks, for the next batch to commit.
                self._store.close()
                raise

    def close(self) -> None:
        """Give the store's connection back."""
        self._store.close()

    def _attempt(self, requests: Sequence[Request], *, wait: bool) -> list[Outcome | None]:
        loaded = self._store.load(asked_for(requests, wait=wait))
        decided = decide_batch(loaded, requests)
        if not decided.append.rows:
            self._store.abandon()
            return decided.outcomes
        try:
            self._store.append(decided.append)
        except ConnectionLostError as error:
            return self._settle(decided, error)
        return decided.outcomes

    def _settle(self, decided: Decided, lost: ConnectionLostError) -> list[Outcome | None]:
        """The connection died while committing: a batch is atomic, so its first row tells what became of it."""
        _log.warning("the outcome of a commit is not known; looking", extra={"cause": str(lost)})
        until = self._monotonic() + SETTLE_SECONDS_MAX
        while self._monotonic() < until:
            try:
                if self._store.was_committed(decided.append.rows[0]):
                    return decided.outcomes
            except ConnectionLostError:
                self._store.close()
                self._pause(PAUSE_SECONDS)
            else:
                raise lost
        # Even a refusal may rest on a row of the batch that is not there.
        return [None if outcome is None else OutcomeUnknownError() for outcome in decided.outcomes]

    def _one_by_one(self, requests: Sequence[Request]) -> list[Outcome | None]:
        outcomes: list[Outcome | None] = []
        held: set[str] = set()
        for request in requests:
            # What waits for an account keeps its place before whatever came later for it.
            outcome = None if request.account_id in held else self.run([request], wait=False)[0]
            if outcome is None:
                held.add(request.account_id)
            outcomes.append(outcome)
        return outcomes
