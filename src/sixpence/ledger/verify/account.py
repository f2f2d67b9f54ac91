"""Verifying one account: its transactions are folded and audited one by one, and the result is compared with its row.

Memory does not grow with the account. Not here: its holds (`holds`), its usage by day (`usage`), the walk over all
accounts and the report (`verify`).
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
from sixpence.ledger.verify.holds import HoldsVerifier
from sixpence.ledger.verify.raw_rows import Row, Scan
from sixpence.ledger.verify.row_cache import RowCache
from sixpence.ledger.verify.usage import UsageVerifier
from sixpence.ledger.writer.prefetch import replaced_grant_keys
from sixpence.ledger.writer.revoked_grants import filter_rows_naming

# SQLite stores any value in any column, so decoding a damaged row can raise any of these.
_DECODING_ERRORS = (
    *(msgspec.MsgspecError, TypeError, ValueError, AttributeError),
    *(ArithmeticError, LookupError, MemoryError, struct.error),
)
# The ledger does not record these: they can be erased, or never changed credits. They are the last columns of the row.
_UNRECORDED = ("label", "metadata")
_COMPARED_ELSEWHERE = (*_UNRECORDED, "holds")
_LIVE = ACCOUNT_COLUMNS.index("live")


class AccountVerifier:
    """Verifies one account. `transactions` counts its rows, `erased` those with blanked metadata.

    `recorded_at` is that of the first row.

    With `decide` the rules decide every row again, under the catalogs of `priced_by`. Without `usage` usage by day is
    not compared.
    """

    def __init__(
        self, scan: Scan, stored: Row, priced_by: PricedBy | None, *, usage: UsageVerifier | None, decide: bool
    ) -> None:
        """`stored` is the account's row."""
        self.transactions = self.erased = 0
        self.recorded_at: object = None
        self._stored = stored
        self._net_consumed = 0
        self._account = Account(account_no=stored[0], account_id=stored[1])
        self._row_cache = RowCache(scan, stored[0])
        self._holds = HoldsVerifier(scan, self._account, self._row_cache)
        self._usage = usage
        self._audit = Audit(priced_by, self._row_cache.read_with_rows_about)
        self._decided_by = priced_by if decide else None

    @property
    def head(self) -> tuple[int, bytes]:
        """The `seq` and the hash of the last row that was folded."""
        return self._account.seq, self._account.head

    def find_difference(self, rows: Iterable[Row]) -> str | None:
        """Fold the account's transactions, given in order; the first difference in words, None without any."""
        number, name = self._stored[:2]
        if not isinstance(number, int):
            return f"account '{name}': its number {number!r:.60} is invalid"
        try:
            for row in rows:
                self._check_and_fold(Transaction(*row))
            self._holds.finish()
            difference = self._check_number() or self._compare_row() or _check_sums(self._account, self._net_consumed)
            difference = difference or (None if self._usage is None else self._usage.finish())
        except BrokenLedgerError as error:
            difference = str(error)
        except _DECODING_ERRORS as error:
            difference = f"its ledger cannot be read: {error}"
        return None if difference is None else f"account '{name}': {difference}"

    def _check_and_fold(self, row: Transaction) -> None:
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
                self._holds.restore_expired(row.about_seq)
            self._audit.check(account, row, detail, moves)
            if self._decided_by is not None:
                self._replay(row, detail, self._decided_by)
        except (BrokenLedgerError, *_DECODING_ERRORS):
            apply_change(account, row, detail, moves)  # if the row does not add up either, that error is raised first
            raise
        apply_change(account, row, detail, moves)
        self._net_consumed += (row.credits_consumed or 0) - (detail.refunded or 0)
        if detail.about is not None:
            self._holds.drop_ended(detail.about)
        self._row_cache.add(row)
        if self._usage is not None:
            self._usage.add(row, detail)

    def _replay(self, row: Transaction, detail: Detail, priced_by: PricedBy) -> None:
        difference = replay.find_difference(self._account, row, priced_by, prior=self._past_before(row, detail))
        if difference is not None:
            raise BrokenLedgerError(difference)

    def _past_before(self, row: Transaction, detail: Detail) -> PriorTransactions:
        """The earlier transactions that the row's command needed, without later ones."""
        if row.kind not in ("refund", "void") or row.about_seq is None:
            return PriorTransactions()
        cache = self._row_cache
        past = cache.read_with_rows_about(row.about_seq)
        if row.kind == "void" and detail.about is not None and detail.shortfall is not None:
            past = past.with_rows(filter_rows_naming(detail.about, cache.stream_between(row.about_seq, row.seq)))
        named = past.rows.get(row.about_seq)
        grants = [] if named is None or row.kind == "void" else [seq_of(m.grant_id) for m in named.read_allocations()]
        found = dict(past.rows)
        for seq in {seq for seq in grants if seq is not None}:
            found |= cache.read_with_rows_about(seq).rows
        for _, seq in replaced_grant_keys(found.values()):
            found |= cache.read_with_rows_about(seq).rows
        return PriorTransactions().with_rows(found[seq] for seq in sorted(found) if seq < row.seq)

    def _check_number(self) -> str | None:
        number, name = self._stored[:2]
        follows = any(account_no(name, attempt) == number for attempt in range(ATTEMPTS_MAX))
        return None if follows else f"number {number} does not follow from its id"

    def _compare_row(self) -> str | None:
        """The first difference between the account's row and its folded ledger."""
        expected = msgspec.structs.astuple(account_to_row(self._account))
        unrecorded = len(_UNRECORDED)
        if self._stored[:-unrecorded] == expected[:-unrecorded]:
            return None
        stored, folded = account_from_row(self._stored), self._account
        for field in stored.__struct_fields__:
            value, should_be = getattr(stored, field), getattr(folded, field)
            if field not in _COMPARED_ELSEWHERE and value != should_be:
                return f"{field} is {value!r:.200}, its ledger says {should_be!r:.200}"
        if account_to_row(stored).live != self._stored[_LIVE]:
            return "its live document is not as it was written"
        return None


def _check_sums(account: Account, net_consumed: int) -> str | None:
    """The first figure that does not follow from the others, in words (invariant 1).

    remaining = the grants' credits that are not held - owed; held = the open holds = the grants' held; total =
    remaining + held + consumed - refunded.
    """
    unheld = sum(grant.remaining - grant.held for grant in account.grants if not grant.pending)
    spendable = unheld - account.owed - account.overdraft_held
    if spendable != account.remaining:
        return f"remaining is {account.remaining}, its grants have {spendable}"
    held = {grant.id: grant.held for grant in account.grants} | {OVERDRAFT: account.overdraft_held}
    in_holds = dict.fromkeys(held, 0)
    for hold in account.holds.values():
        for name, part in hold.parts:
            in_holds[name] = in_holds.get(name, 0) + part
    if in_holds != held or sum(held.values()) != account.held:
        return f"held is {account.held}, its grants have {sum(held.values())}, its holds {sum(in_holds.values())}"
    total = account.remaining + account.held + net_consumed
    if account.total != total:
        return f"total is {account.total}, and {total} is remaining, held or used"
    return None
