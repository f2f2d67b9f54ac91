"""A worker of the writer: runs a batch on its store until every request has its outcome, whatever happens.

Not here: which requests are in a batch (`queue`), and how commands are decided (`batch`).
"""

import logging
from collections.abc import Sequence

from sixpence.core.errors import BrokenLedgerError, CreditSystemError, OutcomeUnknownError
from sixpence.ledger.writer.batch import Decided, Outcome, Request, collect_needs, decide_batch
from sixpence.ledger.writer.runtime import THREADS, Runtime
from sixpence.ledger.writer.store import (
    ConnectionLostError,
    ContendedError,
    LockTimeoutError,
    RowRejectedError,
    Store,
    to_refusal,
)

_log = logging.getLogger(__name__)

# How long a batch retries an unavailable database before its requests are refused with 503.
UNAVAILABLE_SECONDS_MAX = 1.0
# How long a worker tries to find out whether a lost COMMIT happened.
COMMIT_CHECK_SECONDS_MAX = 8.0
RETRY_SECONDS = 0.05
CONTENDED_RETRIES_MAX = 20


class BatchWorker:
    """Runs batches one after another on a store of its own; used by one thread."""

    def __init__(self, store: Store, runtime: Runtime = THREADS) -> None:
        self._store = store
        self._monotonic = runtime.monotonic
        self._pause = runtime.pause

    def run(self, requests: Sequence[Request], *, wait: bool = True) -> list[Outcome | None]:
        """The outcomes in the order of the requests; None for an account that another session holds."""
        unavailable_until = self._monotonic() + UNAVAILABLE_SECONDS_MAX
        contended = 0
        while True:
            try:
                return self._attempt(requests, wait=wait)
            except LockTimeoutError:
                self._store.roll_back()
                if wait:
                    wait = False
                elif len({request.account_id for request in requests}) > 1:
                    return self._one_by_one(requests)
                else:
                    return [None] * len(requests)
            except ContendedError:
                self._store.roll_back()
                contended += 1
                if contended > CONTENDED_RETRIES_MAX:
                    return [None] * len(requests)
            except (RowRejectedError, BrokenLedgerError) as error:
                self._store.roll_back()
                if len(requests) > 1:
                    return self._one_by_one(requests)
                return [to_refusal(error)]
            except ConnectionLostError as error:
                self._store.close()
                if self._monotonic() > unavailable_until:
                    _log.warning("the database is not available", extra={"cause": str(error)})
                    return [to_refusal(error)] * len(requests)
                self._pause(RETRY_SECONDS)
            except CreditSystemError as error:
                self._store.close()
                return [error] * len(requests)
            except BaseException:
                # After a defect the transaction must not stay open, with its locks, for the next batch to commit.
                self._store.close()
                raise

    def close(self) -> None:
        """Close the store's connection."""
        self._store.close()

    def _attempt(self, requests: Sequence[Request], *, wait: bool) -> list[Outcome | None]:
        loaded = self._store.load(collect_needs(requests, wait=wait))
        decided = decide_batch(loaded, requests)
        if not decided.append.rows:
            self._store.roll_back()
            return decided.outcomes
        try:
            self._store.append(decided.append)
        except ConnectionLostError as error:
            return self._resolve_commit(decided, error)
        return decided.outcomes

    def _resolve_commit(self, decided: Decided, lost: ConnectionLostError) -> list[Outcome | None]:
        """Find out whether a COMMIT without an answer happened: a batch is atomic, so its first row shows it.

        Raises `lost` when it did not happen, so that the batch is retried.
        """
        _log.warning("the outcome of a commit is not known; looking", extra={"cause": str(lost)})
        until = self._monotonic() + COMMIT_CHECK_SECONDS_MAX
        while self._monotonic() < until:
            try:
                if self._store.was_committed(decided.append.rows[0]):
                    return decided.outcomes
            except ConnectionLostError:
                self._store.close()
                self._pause(RETRY_SECONDS)
            else:
                raise lost
        # A refusal is unknown, too: it may rest on a row of the batch that was not committed.
        return [None if outcome is None else OutcomeUnknownError() for outcome in decided.outcomes]

    def _one_by_one(self, requests: Sequence[Request]) -> list[Outcome | None]:
        outcomes: list[Outcome | None] = []
        blocked: set[str] = set()
        for request in requests:
            # Later commands of a blocked account wait, too: an account's commands keep their order.
            outcome = None if request.account_id in blocked else self.run([request], wait=False)[0]
            if outcome is None:
                blocked.add(request.account_id)
            outcomes.append(outcome)
        return outcomes
