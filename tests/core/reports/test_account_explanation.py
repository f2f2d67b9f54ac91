"""`explain_balance`: sums that hold over all stories, and a text of at most twelve lines."""

import pytest

from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.reports.account_explanation import (
    LINES_MAX,
    AccountExplanation,
    explain_balance,
    write_balance_explanation,
)
from sixpence.core.rules.context import DecisionContext
from tests.core.reports.explained_stories import every_story
from tests.core.story_table import PRICED_BY, StoryState, run_story

CASES: list[tuple[str, list[str]]] = [
    (
        "@0 ensure; @1 grant 30 paid; @2 grant 5 promo until 90; @3 use interior; @4 hold interior",
        [
            "ada@example.com has 37 credits to spend (plan free, version 5).",
            "41 given and neither expired nor cancelled - 2 used and not refunded - 2 held = 37.",
            "By grants: 6 signup + 1 promo + 30 paid = 37.",
            "Held for running work: 2; the first hold ends by 2026-01-01 00:01:04 UTC.",
            "On 2026-01-01 00:01:30 UTC 1 of it will expire unless spent before.",
            "The latest 3 changes of 5:",
            "  2026-01-01 00:00:04 UTC set aside for interior: -2, balance 37",
            "  2026-01-01 00:00:03 UTC used interior: -2, balance 39",
            "  2026-01-01 00:00:02 UTC credits granted: +5, balance 41",
        ],
    ),
    (
        "@0 ensure",
        [
            "ada@example.com has 6 credits to spend (plan free, version 1).",
            "6 given and neither expired nor cancelled - 0 used and not refunded - 0 held = 6.",
            "By grants: 6 signup = 6.",
            "None of it expires.",
            "The latest 1 change of 1:",
            "  2026-01-01 00:00:00 UTC account opened on plan free: +6, balance 6",
        ],
    ),
    (
        "@0 ensure; @1 hold interior 3 units; @2 capture #2",
        [
            "ada@example.com has 0 credits to spend (plan free, version 3).",
            "6 given and neither expired nor cancelled - 6 used and not refunded - 0 held = 0.",
            "None of it expires.",
            "The latest 3 changes of 3:",
            "  2026-01-01 00:00:02 UTC used interior: 6 credits, set aside earlier, balance 0",
            "  2026-01-01 00:00:01 UTC set aside for interior: -6, balance 0",
            "  2026-01-01 00:00:00 UTC account opened on plan free: +6, balance 6",
        ],
    ),
    (
        "@0 ensure; @1 plan postpaid; @2 use interior 10 units; @3 freeze",
        [
            "ada@example.com has -14 credits to spend (plan postpaid, version 4).",
            "The account is frozen: nothing can be spent now.",
            "6 given and neither expired nor cancelled - 20 used and not refunded - 0 held = -14.",
            "By grants: 0 - 14 owed of 20 allowed = -14.",
            "None of it expires.",
            "The latest 3 changes of 4:",
            "  2026-01-01 00:00:03 UTC account frozen, balance -14",
            "  2026-01-01 00:00:02 UTC used interior: -20, balance -14",
            "  2026-01-01 00:00:01 UTC change of plan, on postpaid now, balance 6",
        ],
    ),
    (
        "@0 ensure; @2026-01-31 plan team; @2026-02-14 plan basic; @2026-02-15 grant 7 from 2026-03-01 for sketch",
        [
            "ada@example.com has 306 credits to spend (plan team, version 4).",
            "306 given and neither expired nor cancelled - 0 used and not refunded - 0 held = 306.",
            "By grants: 300 plan + 6 signup = 306.",
            "Granted for later: 7 more, the first from 2026-03-01 00:00:00 UTC on.",
            "On 2026-02-28 00:00:00 UTC 250 of it will expire unless spent before.",
            "Next: the plan brings 100 credits on 2026-02-28 00:00:00 UTC; plan basic follows on "
            "2026-02-28 00:00:00 UTC.",
            "The latest 3 changes of 4:",
        ],
    ),
]


def test_explain_balance_names_the_default_plan_after_a_cancelled_one() -> None:
    """Also where another plan had been waiting."""
    state = explain(run_story("@0 ensure; @2026-01-31 plan team; @2026-02-14 plan basic; @2026-02-15 cancel"))

    assert state.next_plan == "free"
    assert "Next: plan free follows on 2026-02-28 00:00:00 UTC." in write_balance_explanation(state)


def explain(state: StoryState) -> AccountExplanation:
    """The explanation of the account after a story."""
    context = DecisionContext(state.account, state.account.last_at, PRICED_BY, PriorTransactions())
    return explain_balance(context, state.rows[::-1])


@pytest.mark.parametrize(("story", "lines"), CASES, ids=lambda value: str(value)[:60])
def test_write_balance_explanation_lines(story: str, lines: list[str]) -> None:
    """The balance and why, what is held, owed, scheduled and next, and the latest changes."""
    said = list(write_balance_explanation(explain(run_story(story))))

    assert said[: len(lines)] == lines


def test_explain_balance_sums_hold_in_every_story() -> None:
    """total - used - held = remaining, and so is the sum of the grants - owed - overdraft held."""
    for state in every_story():
        if not state.account.exists:
            continue

        found = explain(state)

        assert found.total - found.used - found.held == found.remaining
        by_grants = sum(each.amount for each in found.by_category)
        assert by_grants - found.owed - found.overdraft_held == found.remaining


def test_write_balance_explanation_has_at_most_twelve_lines() -> None:
    """Over all stories, and no absent value is written."""
    said = [write_balance_explanation(explain(state)) for state in every_story() if state.account.exists]

    assert max(map(len, said)) <= LINES_MAX
    assert not any("None " in line.replace("None of it expires", "") for lines in said for line in lines)


def test_write_balance_explanation_with_every_line_has_twelve() -> None:
    """An account that is frozen, owes, holds, and waits for another plan and for credits has the longest text."""
    story = (
        "@0 ensure; @2026-01-31 plan team; @2026-02-01 use interior 150 units; @2026-02-02 hold interior 8 units "
        "for 86400; @2026-02-02 grant 9 from 2026-03-01; @2026-02-02 plan basic; @2026-02-02 grant 3 for sketch "
        "until 2026-02-20; @2026-02-02 freeze"
    )

    said = write_balance_explanation(explain(run_story(story)))

    assert len(said) == LINES_MAX
