"""A statement: what an account had when a period began, each movement in it, and what it had when it ended.

The values, made from the ledger's rows. Not here: how they are shown (`statement_text`, `statement_csv`), and which
rows belong to a period (the ledger finds them).
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sixpence.core.account.transaction import Kind, Transaction


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What an account had right after a transaction, whose `seq` is the version; version 0: it did not exist yet."""

    remaining: int = 0
    total: int = 0
    held: int = 0
    plan: str = ""
    version: int = 0

    @classmethod
    def after(cls, row: Transaction | None) -> "Figures":
        """Return the figures right after a row; None for those before the first row."""
        if row is None:
            return cls()
        return cls(
            remaining=row.balance_after,
            total=row.total_after,
            held=row.held_after,
            plan=row.plan,
            version=row.seq,
        )


class StatementMovement(msgspec.Struct, frozen=True, kw_only=True):
    """One transaction of a statement, with the account's figures after it; `amount` is the change of `remaining`.

    `about` is the id of the transaction, hold or grant that it is about. `created_at` is in microseconds.
    """

    seq: int
    id: str
    kind: Kind
    created_at: int
    amount: int
    balance_after: int
    total_after: int
    held_after: int
    plan: str
    feature_used: str | None = None
    credits_consumed: int | None = None
    generation_id: str | None = None
    reason: str | None = None
    actor: str | None = None
    about: str | None = None

    @classmethod
    def of(cls, row: Transaction) -> "StatementMovement":
        """The movement of a row."""
        detail = row.read_detail()
        return cls(
            seq=row.seq,
            id=row.id,
            kind=row.kind,
            created_at=row.created_at,
            amount=row.amount,
            balance_after=row.balance_after,
            total_after=row.total_after,
            held_after=row.held_after,
            plan=row.plan,
            feature_used=row.feature_used,
            credits_consumed=row.credits_consumed,
            generation_id=row.generation_id,
            reason=detail.reason,
            actor=detail.actor,
            about=detail.about,
        )


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """The period of a statement, from `since` up to but not including `until` (microseconds), with its two balances.

    `opening` is what the account had right before `since`, `closing` what it had right before `until`. The movements
    in between have the versions `opening.version` + 1 to `closing.version`.
    """

    account_id: str
    since: int
    until: int
    opening: Figures
    closing: Figures

    @property
    def count(self) -> int:
        """How many movements there are."""
        return self.closing.version - self.opening.version


class Statement(Period, frozen=True, kw_only=True):
    """A whole statement, its movements oldest first: opening.remaining + their amounts = closing.remaining.

    With `proof` the statement can be checked without the database; None where no checkpoint covers it.
    """

    movements: tuple[StatementMovement, ...] = ()
    proof: dict[str, Any] | None = None

    @classmethod
    def of(cls, period: Period, rows: Sequence[Transaction], proof: dict[str, Any] | None = None) -> "Statement":
        """The statement of a period with all its rows."""
        return cls(
            **msgspec.structs.asdict(period),
            movements=tuple(map(StatementMovement.of, rows)),
            proof=proof,
        )
