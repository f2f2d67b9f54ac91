"""Transactions, holds, checks and balances as callers see them. Amounts are integers in the smallest unit, times UTC.

Not here: results of changes (`receipts`), an account's current state (`user_credits`), its past (`statements`).
"""

import json
from datetime import datetime
from typing import Any, Self

import msgspec

from sixpence.core.account.account import Account
from sixpence.core.account.grant import Category
from sixpence.core.account.hold import Hold
from sixpence.core.account.movement import Allocation
from sixpence.core.account.subscription import Subscription
from sixpence.core.account.transaction import Detail, GrantTerms, Transaction, grant_id
from sixpence.core.catalog.price import Usage
from sixpence.core.values.instant import to_datetime, to_optional_datetime
from sixpence.core.values.wire_value import WireValue


class GivenGrant(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """A grant that a transaction made; `rolled` means that it was rolled over from an earlier term."""

    id: str
    amount: int
    category: Category
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    features: tuple[str, ...] | None
    rolled: bool

    @classmethod
    def of(cls, transaction_id: str, place: int, terms: GrantTerms) -> Self:
        """The transaction's grant in this place."""
        return cls(
            id=grant_id(transaction_id, place),
            amount=terms.amount,
            category=terms.category,
            priority=terms.priority,
            effective_at=to_datetime(terms.effective_at),
            expires_at=to_optional_datetime(terms.expires_at),
            features=terms.features,
            rolled=terms.rolled,
        )


class PlanTerm(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """The term of a plan that a transaction began or changed. At its end `next_plan` follows, unless it is `cancelled`.

    A trial is a term, too. A plan without a period has no terms.
    """

    period: str
    ends_at: datetime
    trial: bool
    next_plan: str | None
    cancelled: bool

    @classmethod
    def of(cls, subscription: Subscription | None) -> Self | None:
        """The current term of a subscription, None without one."""
        if subscription is None or not subscription.running:
            return None
        return cls(
            period=subscription.period,
            ends_at=to_datetime(subscription.ends_at),
            trial=subscription.trial,
            next_plan=subscription.next_plan,
            cancelled=subscription.cancelled,
        )


class CreditTransaction(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """One row of an account's ledger; `amount` is the net change of what can be spent, `seq` its number from 1 on.

    `about` is the id of the transaction, hold or grant that it concerns. `price` is the list price of the `usage`,
    `shortfall` the requested credits that were not available, `refunded` what a refund gave back. `covered` means that
    the plan pays for the use of a hold.
    """

    id: str
    seq: int
    account_id: str
    kind: str
    amount: int
    balance_after: int
    total_after: int
    held_after: int
    subscription_status: str
    feature_used: str | None
    credits_consumed: int | None
    generation_id: str | None
    metadata: dict[str, Any] | None
    reason: str | None
    actor: str | None
    allocations: tuple[Allocation, ...]
    created_at: datetime
    about: str | None
    usage: Usage | None
    price: int | None
    catalog_version: int | None
    shortfall: int | None
    refunded: int | None
    late: bool
    covered: bool
    hold_expires_at: datetime | None
    grants: tuple[GivenGrant, ...]
    previous_plan: str | None
    term: PlanTerm | None

    @classmethod
    def of(cls, row: Transaction) -> Self:
        """The transaction as its account's owner may see it."""
        detail: Detail = row.read_detail()
        hold = detail.hold
        return cls(
            id=row.id,
            seq=row.seq,
            account_id=row.account_id,
            kind=row.kind,
            amount=row.amount,
            balance_after=row.balance_after,
            total_after=row.total_after,
            held_after=row.held_after,
            subscription_status=row.plan,
            feature_used=row.feature_used,
            credits_consumed=row.credits_consumed,
            generation_id=row.generation_id,
            metadata=None if row.metadata is None else json.loads(row.metadata),
            reason=detail.reason,
            actor=detail.actor,
            allocations=row.read_allocations(),
            created_at=to_datetime(row.created_at),
            about=detail.about,
            usage=detail.usage if hold is None else hold.usage,
            price=detail.price if hold is None else hold.price,
            catalog_version=detail.catalog_version if hold is None else hold.catalog_version,
            shortfall=detail.shortfall,
            refunded=detail.refunded,
            late=detail.late,
            covered=hold is not None and hold.covered,
            hold_expires_at=to_optional_datetime(detail.hold_expires_at if hold is None else hold.expires_at),
            grants=tuple(GivenGrant.of(row.id, place, terms) for place, terms in enumerate(detail.grants)),
            previous_plan=detail.previous_plan,
            term=PlanTerm.of(detail.subscription),
        )

    def wire_fields(self) -> dict[str, Any]:
        """The transaction's fields, with the allocations as objects."""
        parts = [msgspec.structs.asdict(part) for part in self.allocations]
        return {**msgspec.structs.asdict(self), "allocations": parts}

    def moved(self, *movements: str) -> int:
        """How many credits these movements moved, in either direction."""
        return abs(sum(part.amount for part in self.allocations if part.movement in movements))


class Balance(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """An account's balance at a `version` (the `seq` of its last transaction); one version means one balance."""

    account_id: str
    subscription_status: str
    remaining: int
    total: int
    held: int
    version: int


class CreditHold(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """An open hold: `amount` is set aside until `expires_at`; `covered` means that the plan pays for its use."""

    id: str
    feature: str
    amount: int
    price: int
    usage: Usage | None
    covered: bool
    subscription_status: str
    catalog_version: int
    expires_at: datetime

    @classmethod
    def of(cls, hold: Hold) -> Self:
        """The hold as its account's owner may see it."""
        terms = hold.terms
        return cls(
            id=hold.id,
            feature=terms.feature,
            amount=hold.amount,
            price=terms.price,
            usage=terms.usage,
            covered=terms.covered,
            subscription_status=hold.plan,
            catalog_version=terms.catalog_version,
            expires_at=to_datetime(terms.expires_at),
        )


class CreditCheck(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """A preview of a use, never the decision: another request may spend the credits first."""

    allowed: bool
    feature: str
    required: int
    remaining: int
    available: int
    unlimited: bool


class CreditHistory(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """A page of transactions, newest first. Send `next_cursor` for the next page; None means no further page."""

    transactions: list[CreditTransaction]
    next_cursor: str | None

    def wire_fields(self) -> dict[str, Any]:
        """The page with each transaction in its own shape."""
        return {"transactions": [row.wire_fields() for row in self.transactions], "next_cursor": self.next_cursor}

    def without_actors(self) -> Self:
        """The page for the account's user: without the names of operators."""
        rows = [msgspec.structs.replace(row, actor=None) for row in self.transactions]
        return msgspec.structs.replace(self, transactions=rows)


def balance_fields(account: Account) -> dict[str, Any]:
    """The fields of a `Balance` for an account now."""
    return {
        "account_id": account.account_id,
        "subscription_status": account.plan,
        "remaining": account.remaining,
        "total": account.total,
        "held": account.held,
        "version": account.seq,
    }


def balance_fields_after(row: Transaction) -> dict[str, Any]:
    """The fields of a `Balance` right after a row."""
    return {
        "account_id": row.account_id,
        "subscription_status": row.plan,
        "remaining": row.balance_after,
        "total": row.total_after,
        "held": row.held_after,
        "version": row.seq,
    }
