"""What looking back answers with: a balance of then, a statement, and explanations with their words.

How they come about stands in `looking_back`; the facts and the words in `core`.
"""

from datetime import datetime
from typing import Any, Self

import msgspec

from sixpence.core.account.transaction import Kind, Transaction
from sixpence.core.reports.account_explanation import AccountExplanation, account_words
from sixpence.core.reports.explanation import Explanation
from sixpence.core.reports.explanation_text import words_of
from sixpence.core.reports.statement import Figures, Statement, StatementMovement
from sixpence.core.values.instant import to_datetime
from sixpence.service.results.results import Balance


class PastBalance(Balance, frozen=True, kw_only=True):
    """What an account had at the instant `at`: after everything that happened up to it, that instant included.

    It is the balance right after the transaction `transaction_id`, of the time `changed_at`. Before the account's first
    transaction everything is 0, the version too, the plan has no name and there is no transaction.
    """

    at: datetime
    transaction_id: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, account_id: str, at: datetime, row: Transaction | None) -> Self:
        """The balance at an instant, by the last row up to it."""
        figures = Figures.after(row)
        return cls(
            **_fields_of(account_id, figures),
            at=at,
            transaction_id=None if row is None else row.id,
            changed_at=None if row is None else to_datetime(row.created_at),
        )


class StatementEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of a statement, with what the account had after it; `amount` changed what can be spent."""

    seq: int
    id: str
    kind: Kind
    created_at: datetime
    amount: int
    balance_after: int
    total_after: int
    held_after: int
    subscription_status: str
    feature_used: str | None
    credits_consumed: int | None
    generation_id: str | None
    reason: str | None
    actor: str | None
    about: str | None

    @classmethod
    def of(cls, movement: StatementMovement) -> Self:
        """The entry of a movement."""
        fields = msgspec.structs.asdict(movement)
        plan, created_at = fields.pop("plan"), fields.pop("created_at")
        return cls(**fields, subscription_status=plan, created_at=to_datetime(created_at))


class CreditStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement from `since` up to `until`, which is left out; movements are oldest first.

    opening.remaining + the movements' amounts = closing.remaining. `proof` is what lets the statement be checked
    without the database, None where nothing has been signed.
    """

    account_id: str
    since: datetime
    until: datetime
    opening: Balance
    movements: tuple[StatementEntry, ...]
    closing: Balance
    proof: dict[str, Any] | None

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """The statement as its account's owner may see it."""
        name = statement.account_id
        return cls(
            account_id=name,
            since=to_datetime(statement.since),
            until=to_datetime(statement.until),
            opening=Balance(**_fields_of(name, statement.opening)),
            movements=tuple(map(StatementEntry.of, statement.movements)),
            closing=Balance(**_fields_of(name, statement.closing)),
            proof=statement.proof,
        )


class TransactionExplanation(Explanation, frozen=True, kw_only=True):
    """Why a transaction is what it is, as facts, and in `words`, a line each."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The explanation with its words."""
        return cls(**msgspec.structs.asdict(explanation), words=words_of(explanation))


class BalanceExplanation(AccountExplanation, frozen=True, kw_only=True):
    """Why an account's balance is what it is, as facts, and in `words`, twelve lines at most."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, explanation: AccountExplanation) -> Self:
        """The explanation with its words."""
        return cls(**msgspec.structs.asdict(explanation), words=account_words(explanation))


def _fields_of(account_id: str, figures: Figures) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "subscription_status": figures.plan,
        "remaining": figures.remaining,
        "total": figures.total,
        "held": figures.held,
        "version": figures.version,
    }
