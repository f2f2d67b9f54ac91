"""Past balances, statements and explanations as callers see them.

Not here: reading them (`operations.history`), their facts and sentences (`sixpence.core.reports`).
"""

from datetime import datetime
from typing import Any, Self

import msgspec

from sixpence.core.account.transaction import Kind, Transaction
from sixpence.core.reports.account_explanation import AccountExplanation, write_balance_explanation
from sixpence.core.reports.explanation import Explanation
from sixpence.core.reports.explanation_text import write_explanation
from sixpence.core.reports.statement import Figures, Statement, StatementMovement
from sixpence.core.values.instant import to_datetime
from sixpence.core.values.wire_value import WireValue
from sixpence.service.results.results import Balance


class PastBalance(Balance, frozen=True, kw_only=True):
    """An account's balance at the instant `at`, after every transaction up to and including it.

    It is the balance right after the transaction `transaction_id`, made at `changed_at`. Before the account's first
    transaction all amounts and the version are 0, the plan's name is empty, and the other two are None.
    """

    at: datetime
    transaction_id: str | None
    changed_at: datetime | None

    @classmethod
    def of(cls, account_id: str, at: datetime, row: Transaction | None) -> Self:
        """The balance at an instant, by the last row up to it."""
        figures = Figures.after(row)
        return cls(
            **_balance_fields(account_id, figures),
            at=at,
            transaction_id=None if row is None else row.id,
            changed_at=None if row is None else to_datetime(row.created_at),
        )


class StatementEntry(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of a statement, with the balance after it; `amount` is the net change of what can be spent."""

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


class CreditStatement(WireValue, msgspec.Struct, frozen=True, kw_only=True):
    """A statement from `since` up to `until`, which is excluded; movements are oldest first.

    opening.remaining + the movements' amounts = closing.remaining. With its `proof` the statement can be verified
    without the database; it is None without a signed checkpoint.
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
        account_id = statement.account_id
        return cls(
            account_id=account_id,
            since=to_datetime(statement.since),
            until=to_datetime(statement.until),
            opening=Balance(**_balance_fields(account_id, statement.opening)),
            movements=tuple(map(StatementEntry.of, statement.movements)),
            closing=Balance(**_balance_fields(account_id, statement.closing)),
            proof=statement.proof,
        )

    def without_actors(self) -> Self:
        """The statement for the account's user: without the names of operators, and without the proof that has them."""
        movements = tuple(msgspec.structs.replace(movement, actor=None) for movement in self.movements)
        return msgspec.structs.replace(self, movements=movements, proof=None)


class TransactionExplanation(Explanation, frozen=True, kw_only=True):
    """The explanation of a transaction, as facts and as sentences: `words`, one a line."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The explanation with its words."""
        return cls(**msgspec.structs.asdict(explanation), words=write_explanation(explanation))


class BalanceExplanation(AccountExplanation, frozen=True, kw_only=True):
    """The explanation of an account's balance, as facts and as sentences: `words`, at most twelve."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, explanation: AccountExplanation) -> Self:
        """The explanation with its words."""
        return cls(**msgspec.structs.asdict(explanation), words=write_balance_explanation(explanation))


def _balance_fields(account_id: str, figures: Figures) -> dict[str, Any]:
    return {
        "account_id": account_id,
        "subscription_status": figures.plan,
        "remaining": figures.remaining,
        "total": figures.total,
        "held": figures.held,
        "version": figures.version,
    }
