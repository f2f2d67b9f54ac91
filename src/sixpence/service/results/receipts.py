"""Results of changes. Each is made from its ledger row alone, so a replay always gives the same result.

A change without a key that changes nothing writes no row. Its result shows the account's current state.
"""

from datetime import datetime
from typing import Any, Self

import msgspec

from sixpence.core.account.account import Account, Standing
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.writer.batch import Accepted
from sixpence.service.results.results import Balance, CreditTransaction, PlanTerm, balance_fields, balance_fields_after

_STANDING_AFTER: dict[str, Standing] = {"freeze": "frozen", "unfreeze": "open", "close": "closed"}


class Receipt(Balance, frozen=True, kw_only=True):
    """A change, with the balance right after it; `replayed` if an earlier request with this key made it."""

    transaction: CreditTransaction
    replayed: bool = False

    def wire_fields(self) -> dict[str, Any]:
        """What the change was, with the balance after it; a replay has the same fields."""
        return _changed(self, self.transaction, self._wire_facts(self.transaction))

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        """The facts of a use, a grant or a correction; a subclass has its own."""
        if row.kind == "consume":
            return {
                "feature": row.feature_used,
                "credits_consumed": row.credits_consumed,
                "generation_id": row.generation_id,
            }
        if row.kind == "adjust":
            amount = sum(part.amount for part in row.allocations if part.movement in ("granted", "adjusted"))
        else:
            amount = sum(grant.amount for grant in row.grants)
        return {"amount": amount, "reason": row.reason}

    @classmethod
    def of(cls, row: Transaction, *, replayed: bool) -> Self:
        """The receipt of a row."""
        transaction = CreditTransaction.of(row)
        return cls(**balance_fields_after(row), transaction=transaction, replayed=replayed, **cls._facts(transaction))

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:  # noqa: ARG003 - subclasses use it
        return {}


class PlacedHold(Receipt, frozen=True, kw_only=True):
    """A placed hold: `amount` is set aside until `expires_at`; its id is its transaction's id."""

    hold_id: str
    amount: int
    expires_at: datetime

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {
            "hold_id": transaction.id,
            "amount": transaction.moved("held"),
            "expires_at": transaction.hold_expires_at,
        }

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        return {
            "hold_id": self.hold_id,
            "feature": row.feature_used,
            "amount": self.amount,
            "price": row.price,
            "covered": row.covered,
            "expires_at": self.expires_at,
            "generation_id": row.generation_id,
        }


class ExtendedHold(Receipt, frozen=True, kw_only=True):
    """An extended hold: it now expires at `expires_at`."""

    hold_id: str
    expires_at: datetime

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {"hold_id": transaction.about, "expires_at": transaction.hold_expires_at}

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        return {"hold_id": self.hold_id, "feature": row.feature_used, "expires_at": self.expires_at}


class CapturedHold(Receipt, frozen=True, kw_only=True):
    """A captured hold: what was charged, what could not be charged, and what was released.

    `late` means that the hold had expired, so the charge is a separate use.
    """

    hold_id: str
    credits_consumed: int
    shortfall: int
    released: int
    late: bool

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {
            "hold_id": transaction.about,
            "credits_consumed": transaction.credits_consumed,
            "shortfall": transaction.shortfall or 0,
            "released": transaction.moved("released"),
            "late": transaction.late,
        }

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        return {
            "hold_id": self.hold_id,
            "feature": row.feature_used,
            "credits_consumed": self.credits_consumed,
            "shortfall": self.shortfall,
            "released": self.released,
            "late": self.late,
            "generation_id": row.generation_id,
        }


class ReleasedHold(Receipt, frozen=True, kw_only=True):
    """A released hold: `released` can be spent again; credits of grants that have ended meanwhile cannot."""

    hold_id: str
    released: int

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {"hold_id": transaction.about, "released": transaction.moved("released")}

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        return {
            "hold_id": self.hold_id,
            "feature": row.feature_used,
            "released": self.released,
            "reason": row.reason,
        }


class Refund(Receipt, frozen=True, kw_only=True):
    """A refund of the transaction `refunded_id`: `refunded` went back, of which the refund's `amount` can be spent."""

    refunded_id: str
    refunded: int

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {"refunded_id": transaction.about, "refunded": transaction.refunded}

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        return {"refunded_id": self.refunded_id, "refunded": self.refunded, "reason": row.reason}


class VoidedGrant(Receipt, frozen=True, kw_only=True):
    """A voided grant: what was taken of it, the debt for what was spent of it, and what could not be taken."""

    grant_id: str
    voided: int
    charged_back: int
    shortfall: int

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {
            "grant_id": transaction.about,
            "voided": transaction.moved("voided", "unscheduled"),
            "charged_back": transaction.moved("charged_back"),
            "shortfall": transaction.shortfall or 0,
        }

    def _wire_facts(self, row: CreditTransaction) -> dict[str, Any]:
        return {
            "grant_id": self.grant_id,
            "voided": self.voided,
            "charged_back": self.charged_back,
            "shortfall": self.shortfall,
            "reason": row.reason,
        }


class OpenedAccount(Balance, frozen=True, kw_only=True):
    """An account that exists now; `created` if this call made it."""

    created: bool
    replayed: bool = False

    def wire_fields(self) -> dict[str, Any]:
        """The balance and `created`; a replay has the same fields."""
        fields = msgspec.structs.asdict(self)
        del fields["replayed"]
        return fields

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The account that a command created or found."""
        row = accepted.row
        if row is None:
            return cls(**balance_fields(accepted.account), created=False)
        return cls(**balance_fields_after(row), created=row.kind == "signup", replayed=accepted.replayed)


class PlanStatus(Balance, frozen=True, kw_only=True):
    """The account's plan now; `transaction` is None if nothing changed.

    `term` is the term that the transaction began or changed, with what follows at its end; otherwise None.
    """

    transaction: CreditTransaction | None
    term: PlanTerm | None = None
    replayed: bool = False

    def wire_fields(self) -> dict[str, Any]:
        """The term, with the plan and the balance after the change."""
        return _changed(self, self.transaction, {"term": self.term})

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The plan after a command."""
        row = accepted.row
        if row is None:
            term = PlanTerm.of(accepted.account.subscription)
            return cls(**balance_fields(accepted.account), transaction=None, term=term)
        transaction = CreditTransaction.of(row)
        return cls(
            **balance_fields_after(row), transaction=transaction, term=transaction.term, replayed=accepted.replayed
        )


class AccountStatus(Balance, frozen=True, kw_only=True):
    """Whether an account is open, frozen or closed now; `transaction` is None if nothing changed."""

    standing: Standing
    transaction: CreditTransaction | None
    replayed: bool = False

    def wire_fields(self) -> dict[str, Any]:
        """The status, with the balance after the change."""
        return _changed(self, self.transaction, {"standing": self.standing})

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The account's status after a command."""
        row = accepted.row
        if row is None:
            account: Account = accepted.account
            return cls(**balance_fields(account), standing=account.standing, transaction=None)
        return cls(
            **balance_fields_after(row),
            standing=_STANDING_AFTER[row.kind],
            transaction=CreditTransaction.of(row),
            replayed=accepted.replayed,
        )


def _changed(balance: Balance, row: CreditTransaction | None, facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of a change with the balance after it; a change of nothing has no transaction."""
    return {
        "transaction_id": None if row is None else row.id,
        "account_id": balance.account_id,
        **facts,
        "remaining": balance.remaining,
        "total": balance.total,
        "held": balance.held,
        "subscription_status": balance.subscription_status,
        "version": balance.version,
        "created_at": None if row is None else row.created_at,
    }
