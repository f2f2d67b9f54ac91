"""Courses of events drawn at random, and everything in them explained: each transaction, and each account as it came.

Over catalogs that change, so that a price is told by the one that charged it.
"""

import pytest

from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.reports.account_explanation import LINES_MAX, explain_balance, write_balance_explanation
from sixpence.core.reports.explanation import Explanation, explain_row
from sixpence.core.reports.explanation_text import write_explanation
from sixpence.core.rules.context import DecisionContext
from tests.lockstep.choosing import Rolled
from tests.lockstep.course import Course, begin
from tests.lockstep.pair import Pair

STEPS = 150
ACCOUNTS = ["ada@example.com", "brook@example.com"]


@pytest.mark.parametrize("seed", range(6))
def test_everything_that_happens_is_explained(seed: int) -> None:
    """The facts are those of the rules, the words have no gaps, and an account's sums hold at every step."""
    choose = Rolled(f"explain_row {seed}")
    course = begin(choose, ACCOUNTS)

    for _ in range(STEPS):
        course.run(course.next_step(choose))
        for pair in course.pairs:
            _explain_account(pair, course)

    told = [_explain(pair, place, course) for pair in course.pairs for place in range(len(pair.rows))]
    assert len(told) > STEPS
    assert [one for one in told if one.reckoning is not None]


def _explain(pair: Pair, place: int, course: Course) -> Explanation:
    row = pair.rows[place]

    told = explain_row(row, pair.past, course.priced_by)
    words = "\n".join(write_explanation(told))

    assert told.balance_before == (0 if place == 0 else pair.rows[place - 1].balance_after)
    assert told.reckoning is not None or told.usage is None or told.price is None
    if told.reckoning is not None:
        assert told.reckoning.price == told.price
    if told.left_to_refund is not None:
        refunds = [later.read_detail() for later in pair.rows if later.kind == "refund"]
        came_back = sum(refund.refunded or 0 for refund in refunds if refund.about == row.id)
        assert told.left_to_refund == (row.credits_consumed or 0) - came_back
    assert "None" not in words.replace(pair.account_id, "")
    assert words.count("\n") < 50
    return told


def _explain_account(pair: Pair, course: Course) -> None:
    if not pair.account.exists:
        return
    scene = DecisionContext(pair.account, pair.account.last_at, course.priced_by, PriorTransactions())

    told = explain_balance(scene, pair.rows[:-4:-1])

    assert told.total - told.used - told.held == told.remaining
    by_grants = sum(each.amount for each in told.by_category)
    assert by_grants - told.owed - told.overdraft_held == told.remaining
    assert len(write_balance_explanation(told)) <= LINES_MAX
