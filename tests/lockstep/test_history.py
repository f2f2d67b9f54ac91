"""The lockstep's invariants can fail: a row that breaks one raises at once."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from sixpence.core.account.chain import row_hash
from sixpence.core.account.movement import Allocation
from sixpence.core.account.transaction import FIRST_HEAD, Transaction, transaction_id, write_allocations, write_detail
from tests.core.case_table import read_cases
from tests.core.story_table import PRICED_BY, STORIES, run_story
from tests.lockstep.history import History

Rows = list[Transaction]


def allowance_of(_version: int, plan: str) -> int:
    """The allowance in the stories' catalog."""
    return PRICED_BY.catalog.plans[plan].allowance


def taken(rows: Rows) -> int:
    """How many rows pass."""
    history = History()
    for count, row in enumerate(rows):
        try:
            history.take(row, allowance_of)
        except AssertionError:
            return count
    return len(rows)


def chained(rows: Rows) -> Rows:
    """The rows renumbered, with new balances and hashes."""
    made: Rows = []
    balance, head = 0, FIRST_HEAD
    for seq, row in enumerate(rows, 1):
        balance += row.amount
        facts: dict[str, Any] = {"seq": seq, "balance_after": balance}
        if row.seq != seq:
            facts["id"] = transaction_id(row.account_no, seq, row.created_at)
        unhashed = msgspec.structs.replace(row, **facts)
        head = row_hash(head, unhashed)
        made.append(msgspec.structs.replace(unhashed, hash=head))
    return made


def changed(row: Transaction, *moves: tuple[str, str, int], **facts: Any) -> Transaction:
    """The row with other movements, or none of its own, and other facts."""
    detail = {name: facts.pop(name) for name in list(facts) if name in row.read_detail().__struct_fields__}
    if detail:
        facts["detail"] = write_detail(msgspec.structs.replace(row.read_detail(), **detail))
    if moves:
        facts["allocations"] = write_allocations(tuple(Allocation(*move) for move in moves))  # type: ignore[arg-type]
    return msgspec.structs.replace(row, **facts)


def test_what_the_rules_write_fits() -> None:
    """Every ledger of every story, to its last row."""
    for path in sorted(STORIES.glob("*.txt")):
        for case in read_cases(path):
            rows = list(run_story(case.state).rows)

            assert taken(rows) == len(rows), case.place


_HELD = "@0 ensure; @1 hold interior for 60"
_SPENT = "@0 ensure; @1 use interior; @2 use interior"

_BROKEN: list[tuple[str, str, Callable[[Rows], Rows]]] = [
    ("a gap", _SPENT, lambda r: [r[0], r[2]]),
    ("a hash that does not follow", _SPENT, lambda r: [*r[:2], changed(r[2], hash=bytes(32))]),
    ("a balance that does not follow", _SPENT, lambda r: [*r[:2], changed(r[2], balance_after=9)]),
    ("time that goes back", _SPENT, lambda r: chained([*r[:2], changed(r[2], created_at=r[0].created_at)])),
    ("a second signup", "@0 ensure", lambda r: chained([r[0], r[0]])),
    ("a key that does its work twice", "@0 ensure; @1 use interior key k", lambda r: chained([*r, r[1]])),
    ("a hold that ends twice", _HELD + "; @2 release #2", lambda r: chained([*r, r[2]])),
    ("a hold that ends and was not placed", _HELD + "; @2 release #2", lambda r: chained([r[0], changed(r[2])])),
    (
        "a hold of which something is lost",
        _HELD + "; @2 release #2",
        lambda r: chained([*r[:2], changed(r[2], (r[0].id, "released", 1))]),
    ),
    (
        "a capture that says less than it takes",
        _HELD + "; @2 capture #2",
        lambda r: chained([*r[:2], changed(r[2], credits_consumed=1)]),
    ),
    ("a late charge of an open hold", _HELD + "; @62 capture #2 late", lambda r: chained([*r[:2], r[3]])),
    ("two late charges", _HELD + "; @62 capture #2 late", lambda r: chained([*r, r[3]])),
    ("a refund of more than was consumed", _SPENT + "; @3 refund #2", lambda r: chained([*r, r[3]])),
    (
        "a refund that moves something else",
        _SPENT + "; @3 refund #2",
        lambda r: chained([*r[:3], changed(r[3], refunded=1)]),
    ),
    (
        "what was given for something else",
        "@0 ensure; @1 grant 9 for sketch; @2 use interior",
        lambda r: chained([*r[:2], changed(r[2], (r[1].id, "consumed", -2))]),
    ),
    (
        "what takes effect later",
        "@0 ensure; @1 grant 9 from 90; @2 use interior",
        lambda r: chained([*r[:2], changed(r[2], (r[1].id, "consumed", -2))]),
    ),
    (
        "what is over",
        "@0 ensure; @1 grant 9 until 2; @3 use interior",
        lambda r: chained([*r[:3], changed(r[3], (r[1].id, "consumed", -2))]),
    ),
    (
        "what is consumed backwards",
        _SPENT,
        lambda r: chained([*r[:2], changed(r[2], (r[0].id, "consumed", 1), ("overdraft", "consumed", -3))]),
    ),
    (
        "an allowance that comes twice",
        "@0 ensure; @1 plan basic",
        lambda r: chained([*r, r[1]]),
    ),
    (
        "a term beside another",
        "@0 ensure; @1 plan basic; @2 use sketch",
        lambda r: chained([*r[:2], changed(r[1], created_at=r[2].created_at, subscription=_later(r[1]))]),
    ),
]


def _later(row: Transaction) -> Any:
    subscription = row.read_detail().subscription
    assert subscription is not None
    return msgspec.structs.replace(subscription, anchor=subscription.anchor + 5)


@pytest.mark.parametrize(("story", "broken"), [b[1:] for b in _BROKEN], ids=[b[0] for b in _BROKEN])
def test_a_row_that_does_not_fit_is_refused_when_it_comes(story: str, broken: Callable[[Rows], Rows]) -> None:
    """All rows before it pass, and it raises."""
    rows = broken(list(run_story(story).rows))

    assert taken(rows) == len(rows) - 1
