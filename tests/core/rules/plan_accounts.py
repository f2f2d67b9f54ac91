"""Plans of every kind, and an account whose rows are replayed and audited at once, for tests of plan changes."""

from sixpence.core.account.account import Account
from sixpence.core.account.commands import ChangePlan, Command, Consume, EnsureAccount
from sixpence.core.account.fold import fold
from sixpence.core.account.prior_transactions import PriorTransactions
from sixpence.core.account.transaction import Transaction
from sixpence.core.audit.audit import Audit
from sixpence.core.audit.replay import find_difference
from sixpence.core.catalog.catalog import Catalog, Feature, Plan, PricedBy, Rollover, Trial
from sixpence.core.catalog.price import Usage
from sixpence.core.rules.decide import decide
from sixpence.core.values.bounds import account_no
from sixpence.core.values.instant import SECOND, from_wire

ADA = "ada@example.com"
START = from_wire("start", "2026-01-01T00:00:00Z")
HOUR = 3_600 * SECOND


def monthly(allowance: int, rank: int, *, drip: bool = False, trial: Trial | None = None) -> Plan:
    """A plan by the month, or by the year in monthly shares."""
    return Plan(rank=rank, allowance=allowance, period="year" if drip else "month", drip=drip, trial=trial)


PLANS = {
    "free": monthly(100, 0),
    "old": monthly(100, 1),
    "new": monthly(150, 2),
    "pro": Plan(rank=1, unlimited=True),
    "tried": monthly(100, 1, trial=Trial(days=7, allowance=50)),
    "double": monthly(200, 3),
    "half-thousand": monthly(500, 4),
    "equal": monthly(500, 5),
    "thousand": monthly(1_000, 6),
    "drip": monthly(1_200, 7, drip=True),
    "drip-more": monthly(1_800, 8, drip=True),
    "week": Plan(rank=9, allowance=70, period="week"),
    "short": monthly(30, 10),
    "rolling": Plan(rank=11, allowance=60, period="month", rollover=Rollover(cap=1_000, periods=2)),
    "top": Plan(rank=12, unlimited=True),
}


def catalog_in_force(default: str = "free") -> PricedBy:
    """The catalog with these plans."""
    features = {"use": Feature(1, unit="credit")}
    return PricedBy(1, Catalog(features=features, plans=PLANS, default_plan=default), 0)


class Ada:
    """One account with its rows; each row is replayed and audited at once."""

    def __init__(self, default: str = "free") -> None:
        self.priced_by = catalog_in_force(default)
        self.account = self._new()
        self.rows: list[Transaction] = []
        self._audit = Audit(self.priced_by, lambda _seq: PriorTransactions().with_rows(self.rows))
        self.run(EnsureAccount())

    def run(self, command: Command, at: int = START) -> Account:
        """The account after the command, accepted or not."""
        decision = decide(self.account, command, clock=at, priced_by=self.priced_by)
        for row in decision.rows:
            assert find_difference(self.account, row, self.priced_by) is None
            self.audit(row)
            self.account = fold(self.account.copy(), [row])
            self.rows.append(row)
        return self.account

    def audit(self, row: Transaction) -> None:
        """Audit the next row."""
        self._audit.check(self.account, row, row.read_detail(), row.read_allocations())

    def change(self, plan: str, at: int = START) -> Account:
        """The account after a change of plan."""
        return self.run(ChangePlan(plan=plan), at)

    def use(self, credits: int, at: int = START) -> Account:
        """The account after a use."""
        return self.run(Consume(feature="use", usage=Usage(units=credits)), at)

    def parts(self) -> list[int]:
        """What is left of each grant, in the order in which they were made."""
        return [grant.remaining for grant in sorted(self.account.grants, key=lambda grant: (len(grant.id), grant.id))]

    def _new(self) -> Account:
        return Account(account_no=account_no(ADA), account_id=ADA)
