"""Converts the core's rows and refusals to the reference's form, and compares them."""

import dataclasses
from itertools import zip_longest
from typing import Any

from sixpence.core.account.transaction import Transaction, seq_of
from sixpence.core.errors import RefusedError
from sixpence.core.values.instant import to_wire
from tests.core.reference import OVERDRAFT, Refused, Row


def plain(row: Transaction) -> Row:
    """A row of the ledger in the reference's form."""
    detail = row.read_detail()
    moves = tuple((number_of(move.grant_id), str(move.movement), move.amount) for move in row.read_allocations())
    return Row(
        kind=row.kind,
        at=row.created_at,
        amount=row.amount,
        remaining=row.balance_after,
        total=row.total_after,
        held=row.held_after,
        plan=row.plan,
        moves=moves,
        feature=row.feature_used,
        consumed=row.credits_consumed,
        shortfall=detail.shortfall or None,
        refunded=detail.refunded,
    )


def number_of(name: str) -> str:
    """The reference's name of a gift: the number of its row and its place in it."""
    if name == OVERDRAFT:
        return name
    _, dot, place = name.partition(".")
    return f"{seq_of(name)}{dot}{place}"


def ids_of(rows: list[Transaction]) -> dict[str, str]:
    """The ledger's id for each number: of a row, and of each gift that a row made."""
    ids = {str(row.seq): row.id for row in rows}
    for row in rows:
        for move in row.read_allocations():
            ids.setdefault(number_of(move.grant_id), move.grant_id)
    return ids


def compare_rows(rows: tuple[Transaction, ...], expected: list[Row]) -> None:
    """Assert that the rows are those of the reference; the message shows both sides of the first difference."""
    decided = [plain(row) for row in rows]
    for ours, theirs in zip_longest(decided, expected):
        assert ours == theirs, f"core:      {ours}\nreference: {theirs}"


def agree(what: str, ours: object, theirs: object) -> None:
    """Assert that both are equal; the message shows both."""
    assert ours == theirs, f"{what}\n  is       {ours}\n  and not  {theirs}"


def compare_refusals(refusal: RefusedError | None, expected: Refused | None) -> None:
    """Assert that the refusal has the reference's code, and the facts that the reference knows."""
    assert (refusal and refusal.code) == (expected and expected.code), (refusal, expected)
    if refusal is None or expected is None:
        return
    assert dataclasses.is_dataclass(refusal)
    stated = {name: getattr(refusal, name) for name in expected.facts}
    assert stated == {name: _worded(name, value) for name, value in expected.facts.items()}


def _worded(name: str, value: Any) -> Any:
    return to_wire(value) if name.endswith("_at") and value is not None else value
