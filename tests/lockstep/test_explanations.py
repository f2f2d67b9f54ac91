"""Explanations in random scenarios: of each transaction, and of each account after every step.

Catalogs change, so each price must be explained by the catalog that charged it.
"""

import pytest

from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.reports.account_explanation import LINES_MAX, explain_balance, write_balance_explanation
from sixpence.core.reports.explanation import Explanation, explain_row
from sixpence.core.reports.explanation_text import write_explanation
from sixpence.core.rules.context import DecisionContext
from tests.lockstep.choices import RandomChoices
from tests.lockstep.pair import Pair
from tests.lockstep.scenario import Scenario, begin

pytestmark = pytest.mark.slow

STEPS = 150
ACCOUNTS = ["ada@example.com", "brook@example.com"]


@pytest.mark.parametrize("seed", range(6))
def test_every_transaction_and_account_is_explained(seed: int) -> None:
    """The facts are those of the rules, the words have no gaps, and an account's sums hold at every step."""
    choose = RandomChoices(f"explain_row {seed}")
    scenario = begin(choose, ACCOUNTS)

    for _ in range(STEPS):
        scenario.run(scenario.next_step(choose))
        for pair in scenario.pairs:
            _explain_account(pair, scenario)

    explanations = [_explain(pair, place, scenario) for pair in scenario.pairs for place in range(len(pair.rows))]
    assert len(explanations) > STEPS
    assert [one for one in explanations if one.reckoning is not None]


def _explain(pair: Pair, place: int, scenario: Scenario) -> Explanation:
    row = pair.rows[place]

    explanation = explain_row(row, pair.past, scenario.priced_by)
    words = "\n".join(write_explanation(explanation))

    assert explanation.balance_before == (0 if place == 0 else pair.rows[place - 1].balance_after)
    assert explanation.reckoning is not None or explanation.usage is None or explanation.price is None
    if explanation.reckoning is not None:
        assert explanation.reckoning.price == explanation.price
    if explanation.left_to_refund is not None:
        refunds = [later.read_detail() for later in pair.rows if later.kind == "refund"]
        came_back = sum(refund.refunded or 0 for refund in refunds if refund.about == row.id)
        assert explanation.left_to_refund == (row.credits_consumed or 0) - came_back
    assert "None" not in words.replace(pair.account_id, "")
    assert words.count("\n") < 50
    return explanation


def _explain_account(pair: Pair, scenario: Scenario) -> None:
    if not pair.account.exists:
        return
    scene = DecisionContext(pair.account, pair.account.last_at, scenario.priced_by, PriorTransactions())

    explanation = explain_balance(scene, pair.rows[:-4:-1])

    assert explanation.total - explanation.used - explanation.held == explanation.remaining
    by_grants = sum(each.amount for each in explanation.by_category)
    assert by_grants - explanation.owed - explanation.overdraft_held == explanation.remaining
    assert len(write_balance_explanation(explanation)) <= LINES_MAX
