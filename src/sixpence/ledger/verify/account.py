"""The proof of one account: its rows are folded and audited one by one, and what they make is what stands in the rows.

An account of any length is proved in little memory. Its holds: `holds_proof`; what it used by day: `usage_proof`; which
accounts there are, and what a report looks like: `verify`.
"""

import struct
from collections.abc import Iterable

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.apply import apply_change
from sixpence.core.account.fold import check_link, check_place
from sixpence.core.account.movement import OVERDRAFT
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Detail, Transaction, seq_of, transaction_id
from sixpence.core.audit import replay
from sixpence.core.audit.audit import Audit
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.errors import BrokenLedgerError
from sixpence.core.values.bounds import account_no
from sixpence.ledger.database.account_numbers import ATTEMPTS_MAX
from sixpence.ledger.database.rows import ACCOUNT_COLUMNS, account_from_row, account_to_row
from sixpence.ledger.verify.holds import HoldsProof
from sixpence.ledger.verify.raw_rows import Row, Scan
from sixpence.ledger.verify.row_cache import Earlier
from sixpence.ledger.verify.usage import UsageProof
from sixpence.ledger.writer.prefetch import replaced_grant_keys
from sixpence.ledger.writer.revoked_grants import filter_rows_naming

# SQLite keeps any value in any column, so what is there may not even be a number.
_UNREADABLE = (
    *(msgspec.MsgspecError, TypeError, ValueError, AttributeError),
    *(ArithmeticError, LookupError, MemoryError, struct.error),
)
# Not in the ledger: they can be erased, or were never a change of credits. They stand last in the row.
_BESIDE_THE_LEDGER = ("label", "metadata")
_TOLD_ELSEWHERE = (*_BESIDE_THE_LEDGER, "holds")
_LIVE = ACCOUNT_COLUMNS.index("live")


class Proof:
    """One account's proof: `transactions` were looked at, `erased` of them with blanked metadata.

    `recorded_at` is what the first row says of when it was recorded.

    With `decide` every row is decided anew as well, under the catalogs of `priced_by`. Without `usage` what was used
    by day is not compared.
    """

    def __init__(
        self, scan: Scan, stored: Row, priced_by: PricedBy | None, *, usage: UsageProof | None, decide: bool
    ) -> None:
        self.transactions = self.erased = 0
        self.recorded_at: object = None
        self._stored = stored
        self._used = 0
        self._account = Account(account_no=stored[0], account_id=stored[1])
        self._earlier = Earlier(scan, stored[0])
        self._holds = HoldsProof(scan, self._account, self._earlier)
        self._usage = usage
        self._audit = Audit(priced_by, self._earlier.past)
        self._decided_by = priced_by if decide else None

    @property
    def head(self) -> tuple[int, bytes]:
        """The `seq` and the hash of the last row that was folded."""
        return self._account.seq, self._account.head

    def difference(self, rows: Iterable[Row]) -> str | None:
        """The first thing about the account that its rows, given in order, do not bear out, in words."""
        number, name = self._stored[:2]
        if not isinstance(number, int):
            return f"account '{name}': its number is {number!r:.60}, which is none"
        try:
            for row in rows:
                self._step(Transaction(*row))
            self._holds.finish()
            told = self._of_number() or self._of_row() or _sums(self._account, self._used)
            told = told or (None if self._usage is None else self._usage.difference())
        except BrokenLedgerError as error:
            told = str(error)
        except _UNREADABLE as error:
            told = f"its ledger cannot be read: {error}"
        return None if told is None else f"account '{name}': {told}"

    def _step(self, row: Transaction) -> None:
        if self.transactions == 0:
            self.recorded_at = row.recorded_at
        self.transactions += 1
        if row.metadata is None and row.metadata_digest is not None:
            self.erased += 1
        account = self._account
        if row.id != transaction_id(row.account_no, row.seq, row.created_at):
            raise BrokenLedgerError(f"transaction {row.seq}: its id does not follow from its place and time")
        check_link(account.head, row)
        detail, moves = row.read_detail(), row.read_allocations()
        check_place(row, detail)
        try:
            if detail.late and row.about_seq is not None:
                self._holds.bring_back(row.about_seq)
            self._audit.check(account, row, detail, moves)
            if self._decided_by is not None:
                self._decide_again(row, detail, self._decided_by)
        except (BrokenLedgerError, *_UNREADABLE):
            apply_change(account, row, detail, moves)  # where it does not even add up, that is what is told
            raise
        apply_change(account, row, detail, moves)
        self._used += (row.credits_consumed or 0) - (detail.refunded or 0)
        if detail.about is not None:
            self._holds.let_go(detail.about)
        self._earlier.remember(row)
        if self._usage is not None:
            self._usage.take(row, detail)

    def _decide_again(self, row: Transaction, detail: Detail, priced_by: PricedBy) -> None:
        told = replay.find_difference(self._account, row, priced_by, prior=self._past_before(row, detail))
        if told is not None:
            raise BrokenLedgerError(told)

    def _past_before(self, row: Transaction, detail: Detail) -> PriorTransactions:
        """What the row's command had to know of earlier transactions, as it was then."""
        if row.kind not in ("refund", "void") or row.about_seq is None:
            return PriorTransactions()
        past = self._earlier.past(row.about_seq)
        if row.kind == "void" and detail.about is not None and detail.shortfall is not None:
            past = past.with_rows(filter_rows_naming(detail.about, self._earlier.between(row.about_seq, row.seq)))
        named = past.rows.get(row.about_seq)
        grants = [] if named is None or row.kind == "void" else [seq_of(m.grant_id) for m in named.read_allocations()]
        found = dict(past.rows)
        for seq in {seq for seq in grants if seq is not None}:
            found |= self._earlier.past(seq).rows
        for _, seq in replaced_grant_keys(found.values()):
            found |= self._earlier.past(seq).rows
        return PriorTransactions().with_rows(found[seq] for seq in sorted(found) if seq < row.seq)

    def _of_number(self) -> str | None:
        number, name = self._stored[:2]
        follows = any(account_no(name, attempt) == number for attempt in range(ATTEMPTS_MAX))
        return None if follows else f"number {number} does not follow from its id"

    def _of_row(self) -> str | None:
        """What of the account's row its ledger does not say."""
        wanted = msgspec.structs.astuple(account_to_row(self._account))
        beside = len(_BESIDE_THE_LEDGER)
        if self._stored[:-beside] == wanted[:-beside]:
            return None
        stored, folded = account_from_row(self._stored), self._account
        for field in stored.__struct_fields__:
            there, should_be = getattr(stored, field), getattr(folded, field)
            if field not in _TOLD_ELSEWHERE and there != should_be:
                return f"{field} is {there!r:.200}, its ledger says {should_be!r:.200}"
        if account_to_row(stored).live != self._stored[_LIVE]:
            return "its live document is not as it was written"
        return None


def _sums(account: Account, used: int) -> str | None:
    """What the figures say of one another, in words where that is wrong (invariant 1).

    remaining = what the grants have unheld - what is owed; held = the open holds = what the grants have held; total =
    remaining + held + what was used and not refunded.
    """
    free = sum(grant.remaining - grant.held for grant in account.grants if not grant.pending)
    spendable = free - account.owed - account.overdraft_held
    if spendable != account.remaining:
        return f"remaining is {account.remaining}, its grants have {spendable}"
    held = {grant.id: grant.held for grant in account.grants} | {OVERDRAFT: account.overdraft_held}
    in_holds = dict.fromkeys(held, 0)
    for hold in account.holds.values():
        for name, part in hold.parts:
            in_holds[name] = in_holds.get(name, 0) + part
    if in_holds != held or sum(held.values()) != account.held:
        return f"held is {account.held}, its grants have {sum(held.values())}, its holds {sum(in_holds.values())}"
    if account.total != account.remaining + account.held + used:
        return f"total is {account.total}, and {account.remaining + account.held + used} is there, held or used"
    return None
