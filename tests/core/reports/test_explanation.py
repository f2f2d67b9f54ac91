"""Explanations of transactions as facts, over all the stories in cases/stories."""

from typing import get_args

import msgspec

from sixpence.core.account.transaction import Kind
from sixpence.core.catalog.price import Usage
from sixpence.core.reports.explanation import GrantMove, explained
from sixpence.core.reports.explanation_text import words_of
from sixpence.core.values.instant import to_datetime
from tests.core.reports.explained_stories import every_story, explanation
from tests.core.story_table import PRICED_BY, read_instant, tell


def test_the_facts_of_a_use() -> None:
    """Behind the words are facts for programs: the whole of one."""
    told = tell("@0 ensure; @1 use interior 2 units; @2 refund #2 1")
    use, refund = told.rows[1], told.rows[2]

    facts = msgspec.structs.asdict(explanation(told, 2))

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
                grant_id=told.rows[0].id,
                movement="consumed",
                amount=-4,
                category="signup",
                effective_at=to_datetime(read_instant("0")),
            ),
        ),
        "left_to_refund": 3,
    }


def test_every_row_of_every_story_is_explained() -> None:
    """Each kind occurs, each balance follows from the one before, and what is reckoned is the price."""
    kinds: set[Kind] = set()
    for told in every_story():
        for row in told.rows:
            found = explanation(told, row.seq)
            kinds.add(found.kind)

            lines = words_of(found)

            assert found.balance_before + found.amount == found.balance_after
            assert found.reckoning is None or found.reckoning.price == found.price
            assert not any("None" in line or "{" in line for line in lines), lines
            assert found.left_to_refund is None or found.left_to_refund >= 0

    assert kinds == set(get_args(Kind))


def test_a_use_by_a_usage_is_always_reckoned() -> None:
    """Over all stories no use or hold whose usage stands in its row goes without its arithmetic."""
    told = [explanation(story, row.seq) for story in every_story() for row in story.rows]

    silent = [one for one in told if one.usage is not None and one.price is not None and one.reckoning is None]

    assert [one for one in told if one.reckoning is not None]
    assert silent == []


def test_of_a_cut_past_it_is_not_said_what_is_left_to_refund() -> None:
    """Where older refunds may be missing, a sum over the others would be wrong."""
    told = tell("@0 ensure; @1 use interior; @2 refund #2 1")

    found = explained(told.rows[1], told.past, PRICED_BY, is_cut=True)

    assert (found.left_to_refund, found.is_cut) == (None, True)
    assert words_of(found)[-1] == "  the latest 12 of more than 1"


def test_without_its_catalog_a_price_is_told_without_arithmetic() -> None:
    """A version that is not at hand prices nothing anew."""
    told = tell("@0 ensure; @1 use interior")

    found = explained(told.rows[1], told.past, msgspec.structs.replace(PRICED_BY, version=2))

    assert (found.price, found.reckoning) == (2, None)
