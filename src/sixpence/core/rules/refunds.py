"""Refunds: giving back what a transaction consumed, to the very grants it came from (invariant 9).

Not here: what a refund may do at all, checked from the rows alone (`audit.refunds`).
"""

import msgspec

from sixpence.core.account.change import Change
from sixpence.core.account.commands import Refund
from sixpence.core.account.fold import next_id
from sixpence.core.account.hold import Part, split
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Detail, GrantTerms, Revived, Transaction, seq_of
from sixpence.core.errors import BrokenLedgerError, RefusedError
from sixpence.core.refusals import (
    AccountClosedError,
    GrantLimitError,
    NotRefundableError,
    RefundLimitError,
    TransactionNotFoundError,
)
from sixpence.core.rules.context import DecisionContext, repay_debt
from sixpence.core.rules.grants import terms_of, was_voided
from sixpence.core.values.bounds import LIVE_GRANTS_MAX
from sixpence.core.values.instant import DAY, INSTANT_MAX

# The kinds of transactions that can be refunded.
REFUNDABLE = ("consume", "capture")
_SPENT = ("consumed", "captured")


def refund(context: DecisionContext, command: Refund) -> Change | RefusedError:
    """Give back a part of what a transaction consumed, or all that was not refunded yet."""
    account = context.account
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    row = context.prior.find(command.transaction_id)
    if row is None:
        return TransactionNotFoundError(account.account_id, command.transaction_id)
    if row.kind not in REFUNDABLE:
        return NotRefundableError(row.id, row.kind)
    left = refundable(context.prior, row)
    amount = left if command.amount is None else command.amount
    if not 0 < amount <= left:
        return RefundLimitError(row.id, command.amount, left)
    plan = _RefundPlan(context, amount)
    for name, part in _parts_to_refund(context, row, amount):
        plan.give_back(name, part)
    if plan.grants_after > max(LIVE_GRANTS_MAX, len(account.grants)):
        return GrantLimitError(LIVE_GRANTS_MAX)
    return Change(
        kind="refund",
        at=context.now,
        allocations=plan.movements(),
        detail=Detail(
            about=row.id,
            refunded=amount,
            revived=tuple(plan.revived),
            catalog_version=context.priced_by.version,
            actor=command.actor,
            reason=command.reason,
        ).giving(*plan.grace),
        feature_used=row.feature_used,
        generation_id=row.generation_id,
        metadata=command.metadata,
    )


def refundable(prior: PriorTransactions, row: Transaction) -> int:
    """Return how much of what a transaction consumed was not refunded yet."""
    return (row.credits_consumed or 0) - _refunded(prior, row)


def _refunded(prior: PriorTransactions, row: Transaction) -> int:
    return sum(later.read_detail().refunded or 0 for later in prior.about(row.seq) if later.kind == "refund")


def _parts_to_refund(context: DecisionContext, row: Transaction, amount: int) -> list[Part]:
    """Return what to give back to each grant: credits taken last come back first, without those refunded before."""
    spent = [(move.grant_id, -move.amount) for move in row.read_allocations() if move.movement in _SPENT]
    _, left = split(tuple(reversed(spent)), _refunded(context.prior, row))
    now, _ = split(tuple(left), amount)
    return now


class _RefundPlan:
    """A refund in preparation: where each part goes, and the grants that it needs."""

    def __init__(self, context: DecisionContext, amount: int) -> None:
        account = context.account
        self._used_after = account.total - account.remaining - account.held - amount
        self.grace: list[GrantTerms] = []
        self.revived: list[Revived] = []
        self._context = context
        self._live = {grant.id: grant for grant in context.account.grants}
        self._back: dict[str, int] = {}
        self._withheld: list[Allocation] = []
        self._arriving: set[str] = set()

    @property
    def grants_after(self) -> int:
        """How many grants are live after the refund."""
        return len(self._live) + len(self.grace) + len(self.revived)

    def give_back(self, name: str, amount: int) -> None:
        """Give back what was spent of a grant: to the grant itself, to one in its place, or off the debt."""
        if name == OVERDRAFT:
            forgiven = self._forgive(amount)
            self._add_grace(GrantTerms(0, "refund", 0), amount - forgiven)
            return
        terms = terms_of(self._context.prior, name)
        live = self._live.get(name)
        if terms is None:
            raise BrokenLedgerError(f"grant '{name}' of '{self._context.account.account_id}' was never given")
        root = terms.instead_of or name
        if was_voided(self._context.prior, name) or was_voided(self._context.prior, root):
            withheld = amount - self._forgive(amount)
            if withheld:
                self._withheld.append(Allocation(name, "withheld", withheld))
            return
        if terms.features is not None:
            amount -= self._forgive(min(amount, self._excess_debt()))
        if amount == 0:
            return
        if live is not None and live.over is None:
            self._add(name, amount, live.features)
        elif live is None and not self._is_over(name, terms):
            if all(one.grant_id != name for one in self.revived):
                self.revived.append(Revived(name, terms))
            self._add(name, amount, terms.features)
        else:
            self._add_grace(msgspec.structs.replace(terms, instead_of=root), amount)

    def movements(self) -> tuple[Allocation, ...]:
        """Return the movements: what comes back to each grant, and what of it pays the debt."""
        forgiven = self._back.get(OVERDRAFT, 0)
        moves = [Allocation(name, "refunded", amount) for name, amount in self._back.items()]
        arrivals = [(name, self._back[name]) for name in self._back if name in self._arriving]
        return (*moves, *self._withheld, *repay_debt(self._context.account, arrivals, forgiven=forgiven))

    def _is_over(self, name: str, terms: GrantTerms) -> bool:
        if terms.expires_at is not None and terms.expires_at <= self._context.now:
            return True
        subscription = self._context.account.subscription
        ended_before = 0 if subscription is None else subscription.since_seq
        return terms.by_plan is not None and (seq_of(name) or 0) < ended_before

    def _add(self, name: str, amount: int, features: tuple[str, ...] | None) -> None:
        self._back[name] = self._back.get(name, 0) + amount
        if features is None and name != OVERDRAFT:
            self._arriving.add(name)

    def _excess_debt(self) -> int:
        """How much of the debt exceeds what stays used: credits for some features do not pay a debt by themselves."""
        return max(0, self._context.account.owed - self._back.get(OVERDRAFT, 0) - self._used_after)

    def _forgive(self, amount: int) -> int:
        """Lower the debt by at most `amount`, and return by how much."""
        forgiven = min(amount, self._context.account.owed - self._back.get(OVERDRAFT, 0))
        if forgiven:
            self._add(OVERDRAFT, forgiven, None)
        return forgiven

    def _add_grace(self, terms: GrantTerms, amount: int) -> None:
        """Give credits in a grace grant, in the place of a grant that is over; equal terms share one grace grant."""
        if not amount:
            return
        now = self._context.now
        expires_at = min(now + self._context.priced_by.catalog.grace_days * DAY, INSTANT_MAX)
        if expires_at <= now:
            self._withheld.append(Allocation(OVERDRAFT, "withheld", amount))
            return
        wanted = GrantTerms(
            amount, terms.category, now, expires_at, terms.priority, terms.features, instead_of=terms.instead_of
        )
        for place, there in enumerate(self.grace):
            if msgspec.structs.replace(there, amount=0) == msgspec.structs.replace(wanted, amount=0):
                self.grace[place] = msgspec.structs.replace(there, amount=there.amount + amount)
                break
        else:
            place = len(self.grace)
            self.grace.append(wanted)
        self._add(next_id(self._context.account, now, place), amount, terms.features)
