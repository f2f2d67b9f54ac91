"""Verifying `usage_daily`: an account's transactions give its usage by day, except those that no relay has read yet.

One day at a time, because rows come in the order of their time. Not here: adding usage up (`reads.usage`), and when a
relay reads the outbox (`sixpence.ledger.relay`).
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY, INSTANT_MAX, to_wire
from sixpence.core.values.stored_document import decoder_of
from sixpence.ledger.verify.raw_rows import Row, Scan

# The pending rows of at most this many accounts are held in memory.
PENDING_ACCOUNTS_MAX = 100_000

_COLUMNS = "account_no, day, feature, uses, credits_consumed, credits_refunded"
_COUNTED = frozenset(("consume", "capture", "refund"))
_ZERO = (0, 0, 0)

Sums = tuple[int, int, int]
"""Uses, credits consumed, credits refunded."""


class PendingRows(msgspec.Struct, gc=False):
    """The range of an account's rows that is still in the outbox; `fault` names rows that leave a gap or overlap."""

    first: int
    last: int
    fault: str | None = None

    def extend(self, first: int, last: int) -> None:
        """Add the account's next range in the outbox."""
        if self.fault is None and not self.last + 1 == first <= last:
            self.fault = f"transactions {first} to {last} after those up to {self.last}"
        self.first, self.last = min(self.first, first), max(self.last, last)

    def check(self, seq: int) -> str | None:
        """The fault of this range for an account that ends at `seq`, in words; None without one."""
        if self.fault is None and not (1 <= self.first <= self.last == seq):
            self.fault = f"transactions {self.first} to {self.last}, its ledger ends with {seq}"
        return None if self.fault is None else f"the outbox has {self.fault}"


_decode_touched = decoder_of(tuple[tuple[str, int, int], ...])


def stream_days(scan: Scan, *, above: int | None) -> Iterator[Row]:
    """Stream the rows of `usage_daily` for the accounts above that number, in order."""
    where, values = ("", ()) if above is None else (" WHERE account_no > ?", (above,))
    return scan.stream(f"SELECT {_COLUMNS} FROM usage_daily{where} ORDER BY account_no, day, feature", values)


def read_pending_rows(scan: Scan) -> Mapping[str, PendingRows] | None:
    """The accounts' rows that are in the outbox; None if they are of more than `PENDING_ACCOUNTS_MAX` accounts.

    Batches of one account are there in their order, and a relay takes the first ones first. Raises `MsgspecError` for a
    row of the outbox that cannot be read.
    """
    pending: dict[str, PendingRows] = {}
    for (touched,) in scan.stream("SELECT touched FROM outbox ORDER BY id"):
        for account_id, first, last in _decode_touched(touched):
            if account_id in pending:
                pending[account_id].extend(first, last)
            else:
                pending[account_id] = PendingRows(first, last)
        if len(pending) > PENDING_ACCOUNTS_MAX:
            return None
    return pending


class UsageVerifier:
    """Adds up the usage of one account from its rows, and compares it day by day with the stored sums."""

    def __init__(self, stored: Iterable[Row], *, pending: PendingRows | None) -> None:
        self._stored = iter(stored)
        self._next = next(self._stored, None)
        self._pending = pending
        self._seq = 0
        self._day = -1
        self._sums: dict[str, Sums] = {}
        self._difference: str | None = None

    def add(self, row: Transaction, detail: Detail) -> None:
        """Add the next row, unless it is no use or still pending."""
        self._seq = row.seq
        feature = row.feature_used
        if row.kind not in _COUNTED or feature is None:
            return
        if self._pending is not None and row.seq >= self._pending.first:
            return
        day = row.created_at // DAY
        if day != self._day:
            self._compare(up_to=self._day)
            self._day = day
        uses, consumed, refunded = self._sums.get(feature, _ZERO)
        if row.kind == "refund":
            self._sums[feature] = uses, consumed, refunded + (detail.refunded or 0)
        else:
            self._sums[feature] = uses + 1, consumed + (row.credits_consumed or 0), refunded

    def finish(self) -> str | None:
        """Compare the last days after the last row; the first difference in words, None without any."""
        self._compare(up_to=self._day)
        if self._next is not None and self._difference is None:
            day, feature, *sums = self._next[1:]
            self._difference = _describe_difference(day, feature, tuple(sums), _ZERO)
        if self._difference is None and self._pending is not None:
            self._difference = self._pending.check(self._seq)
        return self._difference

    def _compare(self, *, up_to: int) -> None:
        """Compare the stored sums of the days up to this one, which are complete."""
        expected = {(up_to, feature): sums for feature, sums in self._sums.items()}
        self._sums = {}
        while self._difference is None and self._next is not None and self._next[1] <= up_to:
            day, feature, *sums = self._next[1:]
            should_be = expected.pop((day, feature), None)
            if should_be is None or tuple(sums) != tuple(min(part, AMOUNT_MAX) for part in should_be):
                self._difference = _describe_difference(day, feature, tuple(sums), should_be or _ZERO)
            self._next = next(self._stored, None)
        if expected and self._difference is None:
            (day, feature), should_be = next(iter(expected.items()))
            self._difference = _describe_difference(day, feature, _ZERO, should_be)


def _describe_difference(day: int, feature: str, stored: Iterable[int], should_be: Sums) -> str:
    date = to_wire(day * DAY)[:10] if 0 <= day <= INSTANT_MAX // DAY else f"day {day}"
    if stored == should_be:
        return f"usage of '{feature}' on {date} is counted, its ledger has no usage"
    return f"usage of '{feature}' on {date} is {_describe_sums(stored)}, its ledger says {_describe_sums(should_be)}"


def _describe_sums(sums: Iterable[int]) -> str:
    uses, consumed, refunded = sums
    return f"{uses} uses with {consumed} consumed and {refunded} refunded"
