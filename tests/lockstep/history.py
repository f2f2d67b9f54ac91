"""The invariants of an account's rows, checked row by row; only sums of the earlier rows are kept in memory.

Not here: the invariants of the account that the rows make (`invariants`).
"""

from collections import defaultdict
from collections.abc import Callable

from sixpence.core.account.chain import row_hash
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.transaction import FIRST_HEAD, Detail, GrantTerms, Transaction, grant_id, seq_of

AllowanceOf = Callable[[int, str], int]
"""A plan's allowance for a term, by the catalog's version."""

_SPENT = ("consumed", "captured")
_BACK = ("refunded", "withheld")
_ENDS_HOLD = ("capture", "release", "hold_expire")


class History:
    """An account's rows so far; raises `AssertionError` at the first row that does not fit those before it."""

    def __init__(self) -> None:
        self.amount = self.consumed = self.refunded = 0
        self._seq, self._head, self._last_at = 0, FIRST_HEAD, 0
        self._keys: set[str] = set()
        self._open_holds: dict[str, int] = {}
        self._late: set[str] = set()
        self._refundable: dict[str, int] = {}
        self._grants: dict[str, GrantTerms] = {}
        self._terms = _Terms()

    def take(self, row: Transaction, allowance_of: AllowanceOf) -> None:
        """Check the next row."""
        detail, moves = row.read_detail(), row.read_allocations()
        self._check_chain(row)
        assert (row.kind == "signup") == (row.seq == 1)
        self._check_key(row)
        self._check_hold(row, detail, moves)
        self._check_refund(row, detail, moves)
        self._check_spending(row, detail, moves)
        self._terms.take(row, detail, moves, allowance_of)
        self.amount += row.amount
        self.consumed += row.credits_consumed or 0
        self.refunded += detail.refunded or 0

    def _check_chain(self, row: Transaction) -> None:
        """Invariants 5 and 12: numbers without a gap, balances and hashes that follow, time that never falls."""
        assert (row.seq, seq_of(row.id), row.balance_after) == (self._seq + 1, row.seq, self.amount + row.amount)
        assert row.hash == row_hash(self._head, row)
        assert row.created_at >= self._last_at
        self._seq, self._head, self._last_at = row.seq, row.hash, row.created_at

    def _check_key(self, row: Transaction) -> None:
        """Invariant 6: a key has one row."""
        if row.idempotency_key is not None:
            assert row.idempotency_key not in self._keys
            self._keys.add(row.idempotency_key)

    def _check_hold(self, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """Invariants 7 and 8: a hold ends once, with all that it set aside, and is charged late once."""
        about = detail.about or ""
        if row.kind == "hold":
            self._open_holds[row.id] = -sum(move.amount for move in moves)
        if row.kind in _ENDS_HOLD:
            assert about in self._open_holds, "a hold ended that was not open"
            captured = -sum(move.amount for move in moves if move.movement == "captured")
            back = sum(abs(move.amount) for move in moves if move.movement in ("released", "lapsed"))
            assert captured + back == self._open_holds.pop(about)
            assert captured <= (row.credits_consumed or 0)
        if detail.late:
            assert about not in self._late
            assert about not in self._open_holds
            self._late.add(about)

    def _check_refund(self, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """Invariant 9: refunds together never exceed what was consumed."""
        if row.kind in ("consume", "capture"):
            self._refundable[row.id] = row.credits_consumed or 0
        if detail.refunded is not None:
            self._refundable[detail.about or ""] -= detail.refunded
            assert self._refundable[detail.about or ""] >= 0
            assert detail.refunded == sum(move.amount for move in moves if move.movement in _BACK)

    def _check_spending(self, row: Transaction, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """Invariant 10: credits are spent in their time and for their use."""
        self._grants |= {grant_id(row.id, place): made for place, made in enumerate(detail.grants)}
        taken = [move for move in moves if move.movement in (*_SPENT, "held")]
        assert all(move.amount < 0 for move in taken)
        assert -sum(move.amount for move in taken if move.movement in _SPENT) == (row.credits_consumed or 0)
        for move in taken:
            if move.grant_id != OVERDRAFT and move.movement != "captured":
                grant = self._grants[move.grant_id]
                assert grant.effective_at <= row.created_at
                assert grant.expires_at is None or row.created_at < grant.expires_at
                assert grant.features is None or row.feature_used in grant.features


class _Terms:
    """Invariant 11: a term gives at most the best plan's allowance, and terms of one period do not overlap.

    Trials are no terms, and credits that rolled over were given before. What a change of plan ends unspent was not
    given; what it carries over is given again by the term that gave it before.
    """

    def __init__(self) -> None:
        self._gave: dict[tuple[str, int, int], int] = defaultdict(int)
        self._best: dict[tuple[str, int, int], int] = defaultdict(int)
        self._ended: dict[str, tuple[int, int]] = {}
        self._term_of: dict[str, tuple[str, int, int]] = {}

    def take(self, row: Transaction, detail: Detail, moves: tuple[Allocation, ...], allowance_of: AllowanceOf) -> None:
        """Check the term of the next row, and add the credits that it gives."""
        self._take_back(row, moves)
        self._add_carried(row, detail)
        term = detail.subscription
        if term is None or term.trial or detail.catalog_version is None:
            return
        name = (term.period, term.anchor, term.ends_at)
        self._best[name] = max(self._best[name], allowance_of(detail.catalog_version, row.plan))
        own = [made.by_plan is not None and not made.rolled and made.counted_in is None for made in detail.grants]
        given = sum(made.amount for made, is_own in zip(detail.grants, own, strict=True) if is_own)
        if not given:
            return
        self._term_of |= {grant_id(row.id, place): name for place, is_own in enumerate(own) if is_own}
        self._gave[name] += given
        assert self._gave[name] <= self._best[name], f"{name} gave {self._gave[name]} of {self._best[name]}"
        anchor, ends_at = self._ended.get(term.period, (term.anchor, 0))
        assert row.created_at >= ends_at or (anchor, ends_at) == name[1:], f"{name} beside one until {ends_at}"
        self._ended[term.period] = name[1:]

    def _take_back(self, row: Transaction, moves: tuple[Allocation, ...]) -> None:
        for move in moves:
            if row.kind == "plan_change" and move.movement == "expired" and move.grant_id in self._term_of:
                self._gave[self._term_of[move.grant_id]] += move.amount

    def _add_carried(self, row: Transaction, detail: Detail) -> None:
        for place, made in enumerate(detail.grants):
            if made.counted_in is None or made.counted_in == "trial" or made.expires_at is None:
                continue
            anchor, ends_at = self._ended[made.counted_in]
            assert ends_at == made.expires_at, "credits are carried over of a term that is not the last of its period"
            name = (made.counted_in, anchor, ends_at)
            self._term_of[grant_id(row.id, place)] = name
            self._gave[name] += made.amount
            assert self._gave[name] <= self._best[name], f"{name} gave {self._gave[name]} of {self._best[name]}"
