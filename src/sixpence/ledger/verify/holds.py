"""Proving `credit_holds`: every hold stands in its row as the ledger leaves it.

Holds that have ended are compared with their rows and let go, some hundred at a time, so that an account of any length
is proved in little memory. Not here: holds of which no ledger knows (`strays`).
"""

from collections.abc import Collection

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Hold
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.rows import HOLD_COLUMNS, HoldRow, hold_from_document, hold_to_row
from sixpence.ledger.verify.raw_rows import Scan
from sixpence.ledger.verify.row_cache import Earlier

HOLDS_AT_ONCE = 500


class HoldsProof:
    """The holds of one account, which is being folded."""

    def __init__(self, scan: Scan, account: Account, earlier: Earlier) -> None:
        self._scan = scan
        self._account = account
        self._earlier = earlier
        self._ended: list[Hold] = []

    def bring_back(self, seq: int) -> None:
        """A hold that is charged late was let go when it expired: it is read again, as it was then."""
        for hold in self._stored([seq]).values():
            self._account.holds[hold.id] = msgspec.structs.replace(
                hold_from_document(hold.document), captured_late=False
            )

    def let_go(self, about: str) -> None:
        """Nothing comes after the end of a hold but a late charge."""
        hold = self._account.holds.get(about)
        if hold is None or hold.state == "open":
            return
        del self._account.holds[hold.id]
        self._ended.append(hold)
        if len(self._ended) >= HOLDS_AT_ONCE:
            self._compare(self._ended)
            self._ended = []

    def finish(self) -> None:
        """All rows were shown: raise `BrokenLedgerError` for the first hold whose row says something else."""
        holds = [*self._ended, *self._account.holds.values()]
        for first in range(0, len(holds), HOLDS_AT_ONCE):
            self._compare(holds[first : first + HOLDS_AT_ONCE])

    def _compare(self, holds: Collection[Hold]) -> None:
        stored = self._stored([hold.seq for hold in holds])
        for hold in holds:
            there, wanted = stored.get(hold.seq), hold_to_row(self._account.account_no, hold)
            if there != wanted:
                self._tell(hold, there)

    def _tell(self, hold: Hold, stored: HoldRow | None) -> None:
        """Raise for what is wrong with a hold's row, unless it was captured late since: that is still to come."""
        if stored is None:
            raise BrokenLedgerError(f"hold {hold.seq} has no row")
        there = hold_from_document(stored.document)
        if there.captured_late and hold.state == "expired" and not hold.captured_late:
            late = any(one.kind == "consume" for one in self._earlier.whole_past(hold.seq).about(hold.seq))
            hold = msgspec.structs.replace(hold, captured_late=late)
        wanted = hold_to_row(self._account.account_no, hold)
        for field in ("id", "state", "amount", "expires_at"):
            if getattr(stored, field) != getattr(wanted, field):
                there_is, should_be = getattr(stored, field), getattr(wanted, field)
                raise BrokenLedgerError(f"hold {hold.seq}: {field} is {there_is!r:.60}, its ledger says {should_be!r}")
        if there != hold:
            raise BrokenLedgerError(f"hold {hold.seq}: its document is {there!r:.300}, its ledger says {hold!r:.300}")
        if stored.document != wanted.document:
            raise BrokenLedgerError(f"hold {hold.seq}: its document is not as it was written")

    def _stored(self, seqs: list[int]) -> dict[int, HoldRow]:
        query = f"SELECT {', '.join(HOLD_COLUMNS)} FROM credit_holds WHERE account_no = ? AND {self._scan.among('seq')}"
        values = (self._account.account_no, msgspec.json.encode(seqs).decode())
        return {row[1]: HoldRow(*row) for row in self._scan.rows(query, values)}
