"""`explain_row`: explanations of transactions as facts, over all the stories in cases/stories."""

from typing import get_args

import msgspec

from sixpence.core.account.transaction import Kind
from sixpence.core.catalog.price import Usage
from sixpence.core.reports.explanation import GrantMove, explain_row
from sixpence.core.reports.explanation_text import write_explanation
from sixpence.core.values.instant import to_datetime
from tests.core.reports.explained_stories import every_story, explanation
from tests.core.story_table import PRICED_BY, read_instant, run_story


def test_explain_row_of_a_consume() -> None:
    """All facts of one use that was refunded in part."""
    state = run_story("@0 ensure; @1 use interior 2 units; @2 refund #2 1")
    use, refund = state.rows[1], state.rows[2]

    facts = msgspec.structs.asdict(explanation(state, 2))

    reckoning, (later,) = facts.pop("reckoning"), facts.pop("since")
    assert (reckoning.used, reckoning.thing, reckoning.price) == (2, "call", 4)
    assert (later.id, later.kind, later.refunded, later.balance_after) == (refund.id, "refund", 1, 3)
    assert {name: value for name, value in facts.items() if value} == {
        "account_id": "ada@example.com",
        "id": use.id,
        "seq": 2,
        "kind": "consume",
        "created_at": to_datetime(read_instant("1")),
        "rules": ("consume", "burn-down"),
        "catalog_version": 3,
        "plan": "free",
        "feature": "interior",
        "usage": Usage(units=2),
        "price": 4,
        "credits_consumed": 4,
        "balance_before": 6,
        "amount": -4,
        "balance_after": 2,
        "moves": (
            GrantMove(
                grant_id=state.rows[0].id,
                movement="consumed",
                amount=-4,
                category="signup",
                effective_at=to_datetime(read_instant("0")),
            ),
        ),
        "left_to_refund": 3,
    }


def test_explain_row_of_every_kind() -> None:
    """Over all stories each kind occurs, each balance follows from the one before, and each breakdown is the price."""
    kinds: set[Kind] = set()
    for state in every_story():
        for row in state.rows:
            found = explanation(state, row.seq)
            kinds.add(found.kind)

            lines = write_explanation(found)

            assert found.balance_before + found.amount == found.balance_after
            assert found.reckoning is None or found.reckoning.price == found.price
            assert not any("None" in line or "{" in line for line in lines), lines
            assert found.left_to_refund is None or found.left_to_refund >= 0

    assert kinds == set(get_args(Kind))


def test_explain_row_breaks_down_the_price_of_every_usage() -> None:
    """Over all stories each use or hold whose usage is in its row has a price breakdown."""
    explanations = [explanation(story, row.seq) for story in every_story() for row in story.rows]

    without = [one for one in explanations if one.usage is not None and one.price is not None and one.reckoning is None]

    assert [one for one in explanations if one.reckoning is not None]
    assert without == []


def test_explain_row_of_cut_history_has_no_left_to_refund() -> None:
    """Where older refunds may be missing, a sum over the others would be wrong."""
    state = run_story("@0 ensure; @1 use interior; @2 refund #2 1")

    found = explain_row(state.rows[1], state.prior, PRICED_BY, is_cut=True)

    assert (found.left_to_refund, found.is_cut) == (None, True)
    assert write_explanation(found)[-1] == "  the latest 12 of more than 1"


def test_explain_row_without_its_catalog_has_no_price_breakdown() -> None:
    """The price of an unknown catalog version is shown without arithmetic."""
    state = run_story("@0 ensure; @1 use interior")

    found = explain_row(state.rows[1], state.prior, msgspec.structs.replace(PRICED_BY, version=2))

    assert (found.price, found.reckoning) == (2, None)
