"""What a change answers. Each is made from its ledger row alone, so that a repeated key gives the same one for ever.

Where nothing had to change there is no row (without a key), and the answer says how the account stands.
"""

from datetime import datetime
from typing import Any, Self

from sixpence.core.account.account import Account, Standing
from sixpence.core.account.transaction import Transaction
from sixpence.ledger.writer.batch import Accepted
from sixpence.service.results.results import Balance, CreditTransaction, PlanTerm, balance_at, balance_of

_STANDINGS: dict[str, Standing] = {"freeze": "frozen", "unfreeze": "open", "close": "closed"}


class Receipt(Balance, frozen=True, kw_only=True):
    """A change that was made, with the balance right after it; `replayed` when the key had been used for it before."""

    transaction: CreditTransaction
    replayed: bool = False

    @classmethod
    def of(cls, row: Transaction, *, replayed: bool) -> Self:
        """The receipt of a row."""
        transaction = CreditTransaction.of(row)
        return cls(**balance_at(row), transaction=transaction, replayed=replayed, **cls._facts(transaction))

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:  # noqa: ARG003 - the kinds below use it
        return {}


class PlacedHold(Receipt, frozen=True, kw_only=True):
    """A hold that was placed: `amount` is set aside until `expires_at`; its id is that of its transaction."""

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


class ExtendedHold(Receipt, frozen=True, kw_only=True):
    """A hold that lives until `expires_at` now."""

    hold_id: str
    expires_at: datetime

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {"hold_id": transaction.about, "expires_at": transaction.hold_expires_at}


class CapturedHold(Receipt, frozen=True, kw_only=True):
    """A hold that was captured: what was charged, what of it was not there, and what the hold gave back to spend.

    `late` says that the hold had expired, and this is a use of its own.
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


class ReleasedHold(Receipt, frozen=True, kw_only=True):
    """A hold that was released: `released` can be spent again; what it held of grants that are over is gone."""

    hold_id: str
    released: int

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {"hold_id": transaction.about, "released": transaction.moved("released")}


class Refund(Receipt, frozen=True, kw_only=True):
    """What was given back of the transaction `refunded_id`; its own `amount` is what of it can be spent."""

    refunded_id: str
    refunded: int

    @classmethod
    def _facts(cls, transaction: CreditTransaction) -> dict[str, Any]:
        return {"refunded_id": transaction.about, "refunded": transaction.refunded}


class VoidedGrant(Receipt, frozen=True, kw_only=True):
    """A grant that was voided: what was taken of it, the debt left for what was spent, and what could not be taken."""

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


class OpenedAccount(Balance, frozen=True, kw_only=True):
    """An account that is there now; `created` when this call made it."""

    created: bool
    replayed: bool = False

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The account that a command made or found."""
        row = accepted.row
        if row is None:
            return cls(**balance_of(accepted.account), created=False)
        return cls(**balance_at(row), created=row.kind == "signup", replayed=accepted.replayed)


class PlanStatus(Balance, frozen=True, kw_only=True):
    """The plan an account is on now; `transaction` is None where nothing had to change.

    `term` is the term that this began or changed, with what waits for its end; None where it did neither.
    """

    transaction: CreditTransaction | None
    term: PlanTerm | None = None
    replayed: bool = False

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """The plan after a command."""
        row = accepted.row
        if row is None:
            term = PlanTerm.of(accepted.account.subscription)
            return cls(**balance_of(accepted.account), transaction=None, term=term)
        transaction = CreditTransaction.of(row)
        return cls(**balance_at(row), transaction=transaction, term=transaction.term, replayed=accepted.replayed)


class AccountStatus(Balance, frozen=True, kw_only=True):
    """How an account stands now: open, frozen or closed; `transaction` is None where nothing had to change."""

    standing: Standing
    transaction: CreditTransaction | None
    replayed: bool = False

    @classmethod
    def of(cls, accepted: Accepted) -> Self:
        """How the account stands after a command."""
        row = accepted.row
        if row is None:
            account: Account = accepted.account
            return cls(**balance_of(account), standing=account.standing, transaction=None)
        return cls(
            **balance_at(row),
            standing=_STANDINGS[row.kind],
            transaction=CreditTransaction.of(row),
            replayed=accepted.replayed,
        )
