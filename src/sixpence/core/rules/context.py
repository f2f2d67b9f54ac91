"""The context of a decision: the account, the time, the catalog and prior transactions; and the burn-down over them.

Not here: what a command does (`consume`, `grants`, `holds` and the others).
"""

import msgspec

from sixpence.core.account import grant as grants
from sixpence.core.account.account import Account
from sixpence.core.account.fold import next_id
from sixpence.core.account.movement import OVERDRAFT, Allocation, Movement
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.catalog.catalog import Plan, PricedBy
from sixpence.core.rules import versions


class DecisionContext(msgspec.Struct, frozen=True, gc=False):
    """What a rule reads to decide one command on one account at one time; rules change nothing in it.

    `rules` is the version of the rules that decides: an earlier one only in a replay.
    """

    account: Account
    now: int
    priced_by: PricedBy
    prior: PriorTransactions
    rules: int = versions.CURRENT

    @property
    def plan(self) -> Plan | None:
        """The account's plan in the catalog; None when it has left the catalog."""
        return self.priced_by.catalog.plans.get(self.account.plan)

    @property
    def row_id(self) -> str:
        """The id that the command's row will have."""
        return next_id(self.account, self.now)

    @property
    def overdraft_left(self) -> int:
        """How much of the plan's overdraft is neither used nor set aside."""
        limit = 0 if self.plan is None else self.plan.overdraft
        return max(0, limit - self.account.owed - self.account.overdraft_held)

    def available(self, feature: str) -> int:
        """Return how much can be spent on the feature now, the overdraft included."""
        return grants.available(self.account.grants, feature) + self.overdraft_left

    def burn_down(self, feature: str, amount: int, movement: Movement) -> tuple[Allocation, ...]:
        """Take `amount`, which must be available: from the grants in burn-down order, then from the overdraft."""
        sources = [(grant.id, grants.spendable(grant, feature)) for grant in self.account.grants]
        sources.append((OVERDRAFT, self.overdraft_left))
        return tuple(Allocation(name, movement, -part) for name, part in grants.take_in_order(sources, amount))


def repay_debt(account: Account, arrivals: list[tuple[str, int]], *, forgiven: int = 0) -> tuple[Allocation, ...]:
    """Pay the debt from arriving credits: `arrivals` are (grant id, amount) of grants for all features.

    `forgiven` is how much the same row already lowers the debt.
    """
    paid = grants.take_in_order(arrivals, account.owed - forgiven)
    moves = [Allocation(name, "repaid", -part) for name, part in paid]
    total = sum(part for _, part in paid)
    return (*moves, Allocation(OVERDRAFT, "repaid", total)) if total else ()
