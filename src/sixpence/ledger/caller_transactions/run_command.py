"""One command inside a transaction that is not ours to begin or to end: load, decide and append as in every batch.

What a database does for it stands in `savepoint` and `lent`. Whatever goes wrong, nothing of the command stays in the
caller's transaction, and that goes on.
"""

import logging
from typing import Protocol

from sixpence.core.errors import (
    AccountBusyError,
    BrokenLedgerError,
    CreditSystemError,
    DatabaseUnavailableError,
    InternalError,
)
from sixpence.ledger.writer.batch import Accepted, Outcome, Request, asked_for, decide_batch
from sixpence.ledger.writer.store import (
    Append,
    Asked,
    ConnectionLostError,
    ContendedError,
    Loaded,
    LockWaitError,
    RowRejectedError,
)

_log = logging.getLogger(__name__)


class Part(Protocol):
    """A part of the caller's transaction."""

    def load(self, asked: Asked) -> Loaded:
        """Begin the part, lock, and read what a batch needs."""

    def append(self, append: Append) -> None:
        """Write the batch and end the part; what was written commits with the caller's transaction."""

    def abandon(self) -> None:
        """Undo the part, as if it had never begun; does nothing where that is not possible any more."""


def run_in(part: Part, request: Request) -> Accepted:
    """Run the request; raises its refusal, `AccountBusyError` when the account stayed locked, and then it left nothing.

    A refusal leaves not even what fell due: whoever comes next applies that, and no lock of ours outlives it.
    """
    try:
        decided = decide_batch(part.load(asked_for([request], wait=True)), [request])
        outcome = decided.outcomes[0]
        if isinstance(outcome, Accepted) and decided.append.rows:
            part.append(decided.append)
        else:
            part.abandon()
    except (LockWaitError, ContendedError) as error:
        part.abandon()
        raise AccountBusyError from error
    except ConnectionLostError as error:
        part.abandon()
        raise DatabaseUnavailableError from error
    except (RowRejectedError, BrokenLedgerError) as error:
        part.abandon()
        _log.error("a command cannot be stored", extra={"cause": str(error)})
        raise InternalError from error
    except BaseException:
        part.abandon()
        raise
    return _accepted(outcome)


def _accepted(outcome: Outcome | None) -> Accepted:
    if isinstance(outcome, CreditSystemError):
        raise outcome
    if outcome is None:
        raise AccountBusyError
    return outcome
