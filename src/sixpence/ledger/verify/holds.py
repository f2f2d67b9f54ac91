"""Verifying `credit_holds`: every hold's row is what the ledger gives.

Ended holds are compared with their rows and dropped from memory, a few hundred at a time. So memory does not grow with
the account. Not here: rows of holds that no ledger has placed (`orphans`).
"""

from collections.abc import Collection

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.hold import Hold
from sixpence.core.errors import BrokenLedgerError
from sixpence.ledger.database.rows import HOLD_COLUMNS, HoldRow, hold_from_document, hold_to_row
from sixpence.ledger.verify.raw_rows import Scan
from sixpence.ledger.verify.row_cache import RowCache

HOLDS_AT_ONCE = 500


class HoldsVerifier:
    """Compares the holds of one account with their rows while the account is folded."""

    def __init__(self, scan: Scan, account: Account, row_cache: RowCache) -> None:
        self._scan = scan
        self._account = account
        self._row_cache = row_cache
        self._ended: list[Hold] = []

    def restore_expired(self, seq: int) -> None:
        """Read a hold back that is captured late; it was dropped when it expired."""
        for hold in self._find_rows([seq]).values():
            self._account.holds[hold.id] = msgspec.structs.replace(
                hold_from_document(hold.document), captured_late=False
            )

    def drop_ended(self, hold_id: str) -> None:
        """Drop the hold from memory if it has ended; only a late capture can follow."""
        hold = self._account.holds.get(hold_id)
        if hold is None or hold.state == "open":
            return
        del self._account.holds[hold.id]
        self._ended.append(hold)
        if len(self._ended) >= HOLDS_AT_ONCE:
            self._compare(self._ended)
            self._ended = []

    def finish(self) -> None:
        """Compare the remaining holds after the last row; raises `BrokenLedgerError` for the first difference."""
        holds = [*self._ended, *self._account.holds.values()]
        for first in range(0, len(holds), HOLDS_AT_ONCE):
            self._compare(holds[first : first + HOLDS_AT_ONCE])

    def _compare(self, holds: Collection[Hold]) -> None:
        rows = self._find_rows([hold.seq for hold in holds])
        for hold in holds:
            stored, expected = rows.get(hold.seq), hold_to_row(self._account.account_no, hold)
            if stored != expected:
                self._check_row(hold, stored)

    def _check_row(self, hold: Hold, stored: HoldRow | None) -> None:
        """Raise for the first difference in a hold's row, except for a late capture that is still to be folded."""
        if stored is None:
            raise BrokenLedgerError(f"hold {hold.seq} has no row")
        stored_hold = hold_from_document(stored.document)
        if stored_hold.captured_late and hold.state == "expired" and not hold.captured_late:
            rows_about = self._row_cache.read_with_all_rows_about(hold.seq).about(hold.seq)
            hold = msgspec.structs.replace(hold, captured_late=any(row.kind == "consume" for row in rows_about))
        expected = hold_to_row(self._account.account_no, hold)
        for field in ("id", "state", "amount", "expires_at"):
            value, should_be = getattr(stored, field), getattr(expected, field)
            if value != should_be:
                raise BrokenLedgerError(f"hold {hold.seq}: {field} is {value!r:.60}, its ledger says {should_be!r}")
        if stored_hold != hold:
            problem = f"its document is {stored_hold!r:.300}, its ledger says {hold!r:.300}"
            raise BrokenLedgerError(f"hold {hold.seq}: {problem}")
        if stored.document != expected.document:
            raise BrokenLedgerError(f"hold {hold.seq}: its document is not as it was written")

    def _find_rows(self, seqs: list[int]) -> dict[int, HoldRow]:
        condition = self._scan.in_json_list("seq")
        query = f"SELECT {', '.join(HOLD_COLUMNS)} FROM credit_holds WHERE account_no = ? AND {condition}"
        values = (self._account.account_no, msgspec.json.encode(seqs).decode())
        return {row[1]: HoldRow(*row) for row in self._scan.rows(query, values)}
