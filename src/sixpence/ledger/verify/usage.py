"""Proving `usage_daily`: what an account's rows say was used each day, but for those that no relay has read yet.

A day at a time, as rows come in the order of their time. Not here: adding it up after the fact (`usage`), and when
rows that lie in the outbox are read (`sixpence.ledger.relay`).
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from sixpence.core.account.transaction import Detail, Transaction
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import DAY, INSTANT_MAX, to_wire
from sixpence.core.values.stored_document import decoder_of
from sixpence.ledger.verify.raw_rows import Row, Scan

# Of so many accounts it is kept in memory from where on their rows are unread.
UNREAD_ACCOUNTS_MAX = 100_000

_COLUMNS = "account_no, day, feature, uses, credits_consumed, credits_refunded"
_COUNTED = frozenset(("consume", "capture", "refund"))
_NOTHING = (0, 0, 0)

Sums = tuple[int, int, int]
"""Uses, what they consumed, and what was refunded of them."""


class Unread(msgspec.Struct, gc=False):
    """From which `seq` to which the rows of an account lie in the outbox; `fault` says where they do not follow."""

    first: int
    last: int
    fault: str | None = None

    def follow(self, first: int, last: int) -> None:
        """The next rows that lie there."""
        if self.fault is None and not self.last + 1 == first <= last:
            self.fault = f"transactions {first} to {last} after those up to {self.last}"
        self.first, self.last = min(self.first, first), max(self.last, last)

    def wrong(self, seq: int) -> str | None:
        """What of it an account cannot have whose last row has this `seq`, in words."""
        if self.fault is None and not (1 <= self.first <= self.last == seq):
            self.fault = f"transactions {self.first} to {self.last}, its ledger ends with {seq}"
        return None if self.fault is None else f"the outbox has {self.fault}"


_decode_touched = decoder_of(tuple[tuple[str, int, int], ...])


def stream_days(scan: Scan, *, above: int | None) -> Iterator[Row]:
    """The rows of `usage_daily` of the accounts above that number, in order."""
    where, values = ("", ()) if above is None else (" WHERE account_no > ?", (above,))
    return scan.stream(f"SELECT {_COLUMNS} FROM usage_daily{where} ORDER BY account_no, day, feature", values)


def read_unread(scan: Scan) -> Mapping[str, Unread] | None:
    """From which `seq` on the rows of accounts are in the outbox; None where those are too many to be kept.

    Batches of one account lie there in their order, and a relay takes the first ones first. Raises `MsgspecError` for a
    row of the outbox that cannot be read.
    """
    unread: dict[str, Unread] = {}
    for (touched,) in scan.stream("SELECT touched FROM outbox ORDER BY id"):
        for account_id, first, last in _decode_touched(touched):
            if account_id in unread:
                unread[account_id].follow(first, last)
            else:
                unread[account_id] = Unread(first, last)
        if len(unread) > UNREAD_ACCOUNTS_MAX:
            return None
    return unread


class UsageProof:
    """What was used by one account: its rows are shown in order, and compared day by day with what was added up."""

    def __init__(self, stored: Iterable[Row], *, unread: Unread | None) -> None:
        self._stored = iter(stored)
        self._next = next(self._stored, None)
        self._unread = unread
        self._seq = 0
        self._day = -1
        self._sums: dict[str, Sums] = {}
        self._told: str | None = None

    def take(self, row: Transaction, detail: Detail) -> None:
        """Count the next row, if it counts."""
        self._seq = row.seq
        feature = row.feature_used
        if row.kind not in _COUNTED or feature is None:
            return
        if self._unread is not None and row.seq >= self._unread.first:
            return
        day = row.created_at // DAY
        if day != self._day:
            self._compare(up_to=self._day)
            self._day = day
        uses, consumed, refunded = self._sums.get(feature, _NOTHING)
        if row.kind == "refund":
            self._sums[feature] = uses, consumed, refunded + (detail.refunded or 0)
        else:
            self._sums[feature] = uses + 1, consumed + (row.credits_consumed or 0), refunded

    def difference(self) -> str | None:
        """The first day, once all rows were shown, of which something else was added up, in words."""
        self._compare(up_to=self._day)
        if self._next is not None and self._told is None:
            day, feature, *sums = self._next[1:]
            self._told = _in_words(day, feature, tuple(sums), _NOTHING)
        if self._told is None and self._unread is not None:
            self._told = self._unread.wrong(self._seq)
        return self._told

    def _compare(self, *, up_to: int) -> None:
        """The days up to this one are over: what is stored of them is what was counted."""
        wanted = {(up_to, feature): sums for feature, sums in self._sums.items()}
        self._sums = {}
        while self._told is None and self._next is not None and self._next[1] <= up_to:
            day, feature, *sums = self._next[1:]
            should_be = wanted.pop((day, feature), None)
            if should_be is None or tuple(sums) != tuple(min(part, AMOUNT_MAX) for part in should_be):
                self._told = _in_words(day, feature, tuple(sums), should_be or _NOTHING)
            self._next = next(self._stored, None)
        if wanted and self._told is None:
            (day, feature), should_be = next(iter(wanted.items()))
            self._told = _in_words(day, feature, _NOTHING, should_be)


def _in_words(day: int, feature: str, there: Iterable[int], should_be: Sums) -> str:
    date = to_wire(day * DAY)[:10] if 0 <= day <= INSTANT_MAX // DAY else f"day {day}"
    if there == should_be:
        return f"usage of '{feature}' on {date} is counted, its ledger has none"
    return f"usage of '{feature}' on {date} is {_listed(there)}, its ledger says {_listed(should_be)}"


def _listed(sums: Iterable[int]) -> str:
    uses, consumed, refunded = sums
    return f"{uses} uses with {consumed} consumed and {refunded} refunded"
