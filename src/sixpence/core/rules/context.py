"""What every rule sees: the account as it stands, the time, the catalog and the past; and a few facts read off them."""

import msgspec

from sixpence.core.account import grant as grants
from sixpence.core.account.account import Account
from sixpence.core.account.fold import next_id
from sixpence.core.account.movement import OVERDRAFT, Allocation, Movement
from sixpence.core.account.prior_transactions import Past
from sixpence.core.catalog.catalog import Plan, PricedBy


class Scene(msgspec.Struct, frozen=True, gc=False):
    """One command on one account at one time; rules read it and change nothing."""

    account: Account
    now: int
    priced_by: PricedBy
    past: Past

    @property
    def plan(self) -> Plan | None:
        """The account's plan as the catalog has it now, None when it has left the catalog."""
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
        """How much can be spent on the feature now, the overdraft included."""
        return grants.available(self.account.grants, feature) + self.overdraft_left

    def take(self, feature: str, amount: int, movement: Movement) -> tuple[Allocation, ...]:
        """The movements that take `amount`, which is available, in burn-down order and from the overdraft last."""
        purses = [(grant.id, grants.spendable(grant, feature)) for grant in self.account.grants]
        purses.append((OVERDRAFT, self.overdraft_left))
        return tuple(Allocation(name, movement, -part) for name, part in grants.taken_from(purses, amount))


def repaid(account: Account, arrivals: list[tuple[str, int]], *, forgiven: int = 0) -> tuple[Allocation, ...]:
    """What arrives pays what is owed first: `arrivals` are (grant id, amount) that anything may be spent on.

    `forgiven` is what the same row already takes off what is owed.
    """
    paid = grants.taken_from(arrivals, account.owed - forgiven)
    moves = [Allocation(name, "repaid", -part) for name, part in paid]
    total = sum(part for _, part in paid)
    return (*moves, Allocation(OVERDRAFT, "repaid", total)) if total else ()
