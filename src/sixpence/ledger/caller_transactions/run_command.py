"""One command inside a caller's transaction: load, decide and append as in every batch, within a savepoint.

After any failure the caller's transaction holds nothing of the command and can continue. Not here: the savepoints
(`postgres_savepoint`, `sqlite`).
"""

from typing import Protocol

from sixpence.core.errors import AccountBusyError, BrokenLedgerError
from sixpence.ledger.writer.batch import Accepted, Request, accepted_or_raise, collect_needs, decide_batch
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded, StoreError, to_refusal


class CommandSavepoint(Protocol):
    """A savepoint in the caller's transaction, for one command."""

    def load(self, needs: BatchNeeds) -> Loaded:
        """Set the savepoint, lock, and read what a batch needs."""

    def append(self, append: Append) -> None:
        """Write the batch and release the savepoint; the writes commit with the caller's transaction."""

    def roll_back(self) -> None:
        """Roll back to the savepoint; does nothing where that is no longer possible."""


def run_in_savepoint(savepoint: CommandSavepoint, request: Request) -> Accepted:
    """Run the request; raises its refusal, or `AccountBusyError` when the account stayed locked, and writes nothing.

    A refusal rolls back even the time-driven changes that were due, and their locks: the next command applies them.
    """
    try:
        decided = decide_batch(savepoint.load(collect_needs([request], wait=True)), [request])
        outcome = decided.outcomes[0]
        if isinstance(outcome, Accepted) and decided.append.rows:
            savepoint.append(decided.append)
        else:
            savepoint.roll_back()
    except (StoreError, BrokenLedgerError) as error:
        savepoint.roll_back()
        raise to_refusal(error) from error
    except BaseException:
        savepoint.roll_back()
        raise
    if outcome is None:
        raise AccountBusyError
    return accepted_or_raise(outcome)
