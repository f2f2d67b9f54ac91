"""The audit of refunds: no more than was consumed, to the grants it came from, nothing of a voided one (invariant 9).

Not here: which part comes back to which grant (`rules.refunds`).
"""

from collections import Counter
from collections.abc import Callable
from functools import cache

from sixpence.core.account.account import Account
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Detail, GrantTerms, Transaction, grant_id, seq_of
from sixpence.core.audit.movements import raise_broken, sum_moved
from sixpence.core.rules.grants import terms_of, was_voided

ReadPrior = Callable[[int], PriorTransactions]
"""Returns the transaction of that `seq` and those about it, as far as the account has them."""

_DEBT_TERMS = GrantTerms(0, "refund", 0)


def check_refund(
    before: Account, row: Transaction, detail: Detail, moves: tuple[Allocation, ...], read_prior: ReadPrior
) -> None:
    """Raise `BrokenLedgerError` for the first thing that the refund may not do."""
    seq = seq_of(detail.about or "") or 0
    prior = read_prior(seq)
    refunded = prior.rows.get(seq)
    if refunded is None:
        raise_broken(row, "refunds nothing that was there before")
    earlier = [one for one in prior.about(seq) if one.kind == "refund" and one.seq < row.seq]
    back = sum(one.read_detail().refunded or 0 for one in earlier) + (detail.refunded or 0)
    if refunded.kind not in ("consume", "capture") or back > (refunded.credits_consumed or 0):
        consumed = refunded.credits_consumed or 0
        raise_broken(row, f"brings what was refunded of transaction {seq} to {back}, and it consumed {consumed}")
    if sum_moved(moves, "refunded", "withheld") != detail.refunded:
        raise_broken(row, "states another refund than it moves")
    _RefundTargets(before, row, refunded, read_prior).check(detail, moves)
    if row.feature_used != refunded.feature_used:
        raise_broken(row, f"names '{row.feature_used}', and what it refunds was '{refunded.feature_used}'")


class _RefundTargets:
    """The grants from which a transaction took, in their state at its refund."""

    def __init__(self, before: Account, row: Transaction, refunded: Transaction, read_prior: ReadPrior) -> None:
        self._row = row
        self._read_prior = cache(lambda seq: read_prior(seq).before(row.seq))
        self._live = {grant.id: grant for grant in before.grants}
        self._plan_since = 0 if before.subscription is None else before.subscription.since_seq
        # A capture beyond its hold takes twice of one grant.
        self._taken: Counter[str] = Counter()
        for move in refunded.read_allocations():
            if move.movement in ("consumed", "captured"):
                self._taken[move.grant_id] -= move.amount
        self._terms = {name: self._terms_of(name) for name in self._taken}

    def check(self, detail: Detail, moves: tuple[Allocation, ...]) -> None:
        """Raise `BrokenLedgerError` for the first grant that may not receive anything of the refund."""
        row = self._row
        made = {grant_id(row.id, place) for place in range(len(detail.grants))}
        for move in moves:
            if move.movement in ("refunded", "withheld") and move.grant_id not in {*self._taken, *made, OVERDRAFT}:
                raise_broken(row, f"gives back to grant '{move.grant_id}', from which nothing was taken")
        for grace in detail.grants:
            self._check_grace(grace)
        for revived in detail.revived:
            name, terms = revived.grant_id, self._terms.get(revived.grant_id)
            if terms != revived.terms or self._is_over(name, terms):
                raise_broken(row, f"brings back grant '{name}', which is over or had other terms")
            if self._was_voided(name, terms):
                raise_broken(row, f"brings back grant '{name}', which was voided")

    def _check_grace(self, grace: GrantTerms) -> None:
        """Check that a grace grant replaces ended grants of its kind, and gives at most what was taken of them."""
        alike = [name for name, terms in self._terms.items() if _kind_of(terms) == _kind_of(grace)]
        if not alike:
            raise_broken(self._row, "gives back to a grace grant of other terms")
        replaced = [name for name in alike if grace.instead_of in (None, self._terms[name].instead_of or name)]
        if not replaced:
            raise_broken(
                self._row, f"gives back in the place of grant '{grace.instead_of}', from which nothing was taken"
            )
        places = [name for name in replaced if not self._was_voided(name, self._terms[name])]
        if not places:
            raise_broken(self._row, f"gives back in the place of grant '{replaced[0]}', which was voided")
        over = [name for name in places if self._is_over(name, self._terms[name])]
        if not over:
            raise_broken(self._row, f"gives back in the place of grant '{places[0]}', which is not over")
        taken = sum(self._taken[name] for name in over)
        if grace.amount > taken:
            raise_broken(self._row, f"gives back {grace.amount} in the place of grants from which {taken} was taken")

    def _terms_of(self, name: str) -> GrantTerms:
        terms = _DEBT_TERMS if name == OVERDRAFT else terms_of(self._read_prior(seq_of(name) or 0), name)
        if terms is None:
            raise_broken(self._row, f"refunds what was taken from grant '{name}', which was never given")
        return terms

    def _was_voided(self, name: str, terms: GrantTerms | None) -> bool:
        root = None if terms is None else terms.instead_of
        return any(was_voided(self._read_prior(seq_of(one) or 0), one) for one in (name, root) if one is not None)

    def _is_over(self, name: str, terms: GrantTerms | None) -> bool:
        """Whether the grant has ended by time or with its plan; a debt has no grant to come back to."""
        live = self._live.get(name)
        if name == OVERDRAFT or terms is None or live is not None:
            return live is None or live.over is not None
        ended_with_plan = terms.by_plan is not None and (seq_of(name) or 0) < self._plan_since
        return ended_with_plan or (terms.expires_at is not None and terms.expires_at <= self._row.created_at)


def _kind_of(terms: GrantTerms) -> tuple[tuple[str, ...] | None, str, int]:
    """Return what a grace grant has in common with the grant that it replaces."""
    return terms.features, terms.category, terms.priority
