"""What the service answers with. Amounts are in the smallest unit, times are aware UTC datetimes.

An answer to a change is made from its ledger row alone, so that a repeated key gives the same one for ever.
"""

import json
from datetime import datetime
from typing import Any, Self

import msgspec

from sixpence.core.account import Account
from sixpence.core.instant import to_datetime
from sixpence.core.movement import Allocation
from sixpence.core.transaction import Detail, Transaction


class CreditTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """One row of an account's ledger; `amount` is the net change of what can be spent, `seq` its place from 1 on."""

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

    @classmethod
    def of(cls, row: Transaction) -> Self:
        """The transaction as its account's owner may see it."""
        detail: Detail = row.read_detail()
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
        )


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """What an account has at one `version` (the `seq` of its last transaction); one version means one balance."""

    account_id: str
    subscription_status: str
    remaining: int
    total: int
    held: int
    version: int


class Receipt(Balance, frozen=True, kw_only=True):
    """A change that was made, with the balance right after it; `replayed` when the key had been used for it before."""

    transaction: CreditTransaction
    replayed: bool = False

    @classmethod
    def of(cls, row: Transaction, *, replayed: bool) -> Self:
        """The receipt of a row."""
        return cls(**balance_at(row), transaction=CreditTransaction.of(row), replayed=replayed)


class OpenedAccount(Balance, frozen=True, kw_only=True):
    """An account that is there now; `created` when this call made it."""

    created: bool
    replayed: bool = False


class PlanStatus(Balance, frozen=True, kw_only=True):
    """The plan an account is on now; `transaction` is None where it was on it already."""

    transaction: CreditTransaction | None
    replayed: bool = False


class UserCredits(Balance, frozen=True, kw_only=True):
    """The state of an account now. On an unlimited plan a use costs nothing and `remaining` keeps its number."""

    unlimited: bool
    granted_at: datetime | None
    next_expiry_at: datetime | None
    label: str | None

    @classmethod
    def of(cls, account: Account, *, unlimited: bool) -> Self:
        """The state that an account shows."""
        expiries = [grant.expires_at for grant in account.grants if grant.expires_at is not None and not grant.pending]
        return cls(
            **balance_of(account),
            unlimited=unlimited,
            granted_at=None if account.granted_at is None else to_datetime(account.granted_at),
            next_expiry_at=to_datetime(min(expiries)) if expiries else None,
            label=account.label,
        )


class CreditCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A preview of a use, never the decision: another request may spend the credits first."""

    allowed: bool
    feature: str
    required: int
    remaining: int
    available: int
    unlimited: bool


class CreditHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A page of transactions, newest first; pass `next_cursor` to go on, None means that there is no more."""

    transactions: list[CreditTransaction]
    next_cursor: str | None


def balance_of(account: Account) -> dict[str, Any]:
    """The fields of a `Balance` for an account as it stands."""
    return {
        "account_id": account.account_id,
        "subscription_status": account.plan,
        "remaining": account.remaining,
        "total": account.total,
        "held": account.held,
        "version": account.seq,
    }


def balance_at(row: Transaction) -> dict[str, Any]:
    """The fields of a `Balance` right after a row."""
    return {
        "account_id": row.account_id,
        "subscription_status": row.plan,
        "remaining": row.balance_after,
        "total": row.total_after,
        "held": row.held_after,
        "version": row.seq,
    }
