"""Refunds: giving back what a transaction consumed, to the very grants it came from (invariant 9)."""

import msgspec

from sixpence.core.account.change import Change
from sixpence.core.account.commands import Refund
from sixpence.core.account.fold import next_id
from sixpence.core.account.hold import Part, split
from sixpence.core.account.movement import OVERDRAFT, Allocation
from sixpence.core.account.prior_transactions import Past
from sixpence.core.account.transaction import Detail, GrantTerms, Revived, Transaction, seq_of
from sixpence.core.errors import BrokenLedgerError, RefusedError
from sixpence.core.refusals import (
    AccountClosedError,
    GrantLimitError,
    NotRefundableError,
    RefundLimitError,
    TransactionNotFoundError,
)
from sixpence.core.rules.context import Scene, repaid
from sixpence.core.rules.grants import terms_of, was_voided
from sixpence.core.values.bounds import LIVE_GRANTS_MAX
from sixpence.core.values.instant import DAY, INSTANT_MAX

# What was spent by one of these can be given back.
REFUNDABLE = ("consume", "capture")
_SPENT = ("consumed", "captured")


def refund(scene: Scene, command: Refund) -> Change | RefusedError:
    """Give back a part of what a transaction consumed, or all that is left of it."""
    account = scene.account
    if account.standing == "closed":
        return AccountClosedError(account.account_id)
    row = scene.past.find(command.transaction_id)
    if row is None:
        return TransactionNotFoundError(account.account_id, command.transaction_id)
    if row.kind not in REFUNDABLE:
        return NotRefundableError(row.id, row.kind)
    left = refundable(scene.past, row)
    amount = left if command.amount is None else command.amount
    if not 0 < amount <= left:
        return RefundLimitError(row.id, command.amount, left)
    plan = _Plan(scene, amount)
    for name, part in _parts_to_refund(scene, row, amount):
        plan.give_back(name, part)
    if plan.grants_after > max(LIVE_GRANTS_MAX, len(account.grants)):
        return GrantLimitError(LIVE_GRANTS_MAX)
    return Change(
        kind="refund",
        at=scene.now,
        allocations=plan.movements(),
        detail=Detail(
            about=row.id,
            refunded=amount,
            revived=tuple(plan.revived),
            catalog_version=scene.priced_by.version,
            actor=command.actor,
            reason=command.reason,
        ).giving(*plan.grace),
        feature_used=row.feature_used,
        generation_id=row.generation_id,
        metadata=command.metadata,
    )


def refundable(past: Past, row: Transaction) -> int:
    """How much of what a transaction consumed has not been given back."""
    return (row.credits_consumed or 0) - _refunded(past, row)


def _refunded(past: Past, row: Transaction) -> int:
    return sum(later.read_detail().refunded or 0 for later in past.about(row.seq) if later.kind == "refund")


def _parts_to_refund(scene: Scene, row: Transaction, amount: int) -> list[Part]:
    """What to give back to which grant: what was taken last comes back first, after what came back before."""
    spent = [(move.grant_id, -move.amount) for move in row.read_allocations() if move.movement in _SPENT]
    _, left = split(tuple(reversed(spent)), _refunded(scene.past, row))
    now, _ = split(tuple(left), amount)
    return now


class _Plan:
    """A refund being put together: where each part goes, and the grants that have to be there for it."""

    def __init__(self, scene: Scene, amount: int) -> None:
        account = scene.account
        self._used_then = account.total - account.remaining - account.held - amount
        self.grace: list[GrantTerms] = []
        self.revived: list[Revived] = []
        self._scene = scene
        self._live = {grant.id: grant for grant in scene.account.grants}
        self._back: dict[str, int] = {}
        self._withheld: list[Allocation] = []
        self._arriving: set[str] = set()

    @property
    def grants_after(self) -> int:
        """How many grants are live once this is done."""
        return len(self._live) + len(self.grace) + len(self.revived)

    def give_back(self, name: str, amount: int) -> None:
        """Find the place for what was spent of a grant."""
        if name == OVERDRAFT:
            forgiven = self._forgive(amount)
            self._to_grace(GrantTerms(0, "refund", 0), amount - forgiven)
            return
        terms = terms_of(self._scene.past, name)
        live = self._live.get(name)
        if terms is None:
            raise BrokenLedgerError(f"grant '{name}' of '{self._scene.account.account_id}' was never given")
        root = terms.instead_of or name
        if was_voided(self._scene.past, name) or was_voided(self._scene.past, root):
            withheld = amount - self._forgive(amount)
            if withheld:
                self._withheld.append(Allocation(name, "withheld", withheld))
            return
        if terms.features is not None:
            amount -= self._forgive(min(amount, self._owed_too_much()))
        if amount == 0:
            return
        if live is not None and live.over is None:
            self._to(name, amount, live.features)
        elif live is None and not self._is_over(name, terms):
            if all(one.grant_id != name for one in self.revived):
                self.revived.append(Revived(name, terms))
            self._to(name, amount, terms.features)
        else:
            self._to_grace(msgspec.structs.replace(terms, instead_of=root), amount)

    def movements(self) -> tuple[Allocation, ...]:
        """What moves: to each grant what comes back, and on from there what is owed."""
        forgiven = self._back.get(OVERDRAFT, 0)
        moves = [Allocation(name, "refunded", amount) for name, amount in self._back.items()]
        arrivals = [(name, self._back[name]) for name in self._back if name in self._arriving]
        return (*moves, *self._withheld, *repaid(self._scene.account, arrivals, forgiven=forgiven))

    def _is_over(self, name: str, terms: GrantTerms) -> bool:
        if terms.expires_at is not None and terms.expires_at <= self._scene.now:
            return True
        subscription = self._scene.account.subscription
        ended_before = 0 if subscription is None else subscription.since_seq
        return terms.by_plan is not None and (seq_of(name) or 0) < ended_before

    def _to(self, name: str, amount: int, features: tuple[str, ...] | None) -> None:
        self._back[name] = self._back.get(name, 0) + amount
        if features is None and name != OVERDRAFT:
            self._arriving.add(name)

    def _owed_too_much(self) -> int:
        """How much more is owed than will have been used: credits for some features do not pay it by themselves."""
        return max(0, self._scene.account.owed - self._back.get(OVERDRAFT, 0) - self._used_then)

    def _forgive(self, amount: int) -> int:
        """Lower what is owed as far as there is."""
        forgiven = min(amount, self._scene.account.owed - self._back.get(OVERDRAFT, 0))
        if forgiven:
            self._to(OVERDRAFT, forgiven, None)
        return forgiven

    def _to_grace(self, terms: GrantTerms, amount: int) -> None:
        """A grace grant in the place of one that is over; one for all that stand for the same grant."""
        if not amount:
            return
        now = self._scene.now
        expires_at = min(now + self._scene.priced_by.catalog.grace_days * DAY, INSTANT_MAX)
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
        self._to(next_id(self._scene.account, now, place), amount, terms.features)
