"""Stores with one bug each, typical of such systems; the simulation must find each.

Each omits or breaks exactly one part of the simulated store.
"""

from collections.abc import Mapping

from sixpence.core.account.account import Account
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.writer.store import Append, BatchNeeds
from tests.simulation.database import Session
from tests.simulation.faults import MILLISECOND
from tests.simulation.store import SimulatedStore


class AnswersEarly(SimulatedStore):
    """It answers before the commit, which follows a little later."""

    def append(self, append: Append) -> None:
        """Send the batch, and do not wait for the commit."""
        session, self.session = self.session, None
        assert session is not None
        session.send(append)
        session.linger(5 * MILLISECOND, commits=True)


class TakesNoLock(SimulatedStore):
    """It reads the accounts without their locks."""

    def locked(self, session: Session, asked: BatchNeeds, by_no: Mapping[int, str]) -> dict[int, Account]:
        """Insert missing accounts, and read without locks."""
        for number in sorted(by_no):
            if by_no[number] in asked.create_ids:
                session.make(number, by_no[number], 0)
        return {number: session.read(number) for number in sorted(by_no) if session.sees(number)}


class ReadsBeforeItLocks(SimulatedStore):
    """It locks, but returns what it read before it waited for the lock."""

    def locked(self, session: Session, asked: BatchNeeds, by_no: Mapping[int, str]) -> dict[int, Account]:
        """Read, then lock."""
        seen = {number: session.read(number) for number in by_no if session.sees(number)}
        return {number: seen.get(number, account) for number, account in super().locked(session, asked, by_no).items()}


class ForgetsKeys(SimulatedStore):
    """It does not look up the rows of the keys."""

    def replays(self, _asked: BatchNeeds, _accounts: Mapping[str, Account], /) -> dict[tuple[str, str], Transaction]:
        """Find no earlier row."""
        return {}


class TrustsTheCommit(SimulatedStore):
    """It treats a commit without an answer as done."""

    def settled(self, _session: Session, _row: Transaction, /) -> bool | None:
        """Always done."""
        return True


class DoubtsTheCommit(SimulatedStore):
    """It treats a commit without an answer as not done."""

    def settled(self, _session: Session, _row: Transaction, /) -> bool | None:
        """Never done."""
        return False


class LooksTooEarly(SimulatedStore):
    """It looks for a lost commit without waiting for the old transaction to end."""

    def settled(self, _session: Session, row: Transaction, /) -> bool | None:
        """The row's current state."""
        there = self.database.rows.get(row.account_no, {}).get(row.seq)
        return there is not None and there.hash == row.hash


class LeavesItOpen(SimulatedStore):
    """It does not end an abandoned transaction."""

    def roll_back(self) -> None:
        """Forget the transaction, and leave it open with its locks."""
        self.session = None


class WritesHalf(SimulatedStore):
    """It writes the rows of a batch and forgets the last of its holds."""

    def append(self, append: Append) -> None:
        """Write the rest."""
        super().append(
            Append(
                rows=append.rows,
                accounts=append.accounts,
                unused_account_nos=append.unused_account_nos,
                clock=append.clock,
                holds=append.holds[:-1],
            )
        )


_TWICE = ("is in the ledger 2 times", "and it is in the ledger", "a defect ended request", "had to refuse")

# Each bug, with the messages that may report it; the seed decides which comes first.
PLANTED: dict[type[SimulatedStore], tuple[str, ...]] = {
    AnswersEarly: ("uncommitted",),
    TakesNoLock: _TWICE,
    ReadsBeforeItLocks: _TWICE,
    ForgetsKeys: _TWICE,
    TrustsTheCommit: ("uncommitted",),
    DoubtsTheCommit: _TWICE,
    LooksTooEarly: _TWICE,
    LeavesItOpen: (
        "was left open",
        "no request was answered",
        "is not answered",
        "still locked",
        "nobody else had it",
    ),
    WritesHalf: ("holds", "a defect ended request"),
}
