"""`decide` against the reference, through all commands and any jumps of the clock; the invariants after each step.

Not here: the same on the databases (tests/lockstep).
"""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from sixpence.core.account.account import Account
from sixpence.core.account.commands import Tick
from sixpence.core.account.fold import fold
from sixpence.core.account.transaction import Transaction
from sixpence.core.rules.decide import Decision, decide
from tests.lockstep.choices import HypothesisChoices
from tests.lockstep.commands import KeyedCommand, draw_keyed_command
from tests.lockstep.pair import Pair, key_of, reread, to_bytes
from tests.lockstep.scenario import Scenario, Step, begin
from tests.lockstep.timing import draw_clock

pytestmark = pytest.mark.slow

_JUMPS = (0, 400, 1_000_000, 3_600_000_000, 86_400_000_000, 40 * 86_400_000_000)


class OneAccount(RuleBasedStateMachine):
    """One account with its rows, driven beside the reference."""

    def __init__(self) -> None:
        super().__init__()
        self.course: Scenario | None = None

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """A first catalog, and a time to begin at."""
        self.course = begin(HypothesisChoices(data), ["ada@example.com"])

    @rule(data=st.data())
    def run_a_command(self, data: st.DataObject) -> None:
        """Time passes, perhaps the catalog changes, and a command comes."""
        course = self._course
        course.run(course.next_step(HypothesisChoices(data)))

    @rule(data=st.data())
    def run_a_batch(self, data: st.DataObject) -> None:
        """A batch leaves what its commands leave one by one, and what it leaves without those that are refused."""
        course, choose = self._course, HypothesisChoices(data)
        course.run(Step(draw_clock(choose, course.clock, [self._pair.reference])))
        batch = [draw_keyed_command(choose, self._pair.reference, course.clock, {}) for _ in range(choose([2, 3, 4]))]

        together = self._run(batch)
        apart: list[Decision] = []
        kept: list[KeyedCommand] = []
        account = self._pair.account
        for asked in batch:
            decision = self._decide(reread(account), asked, [row for one in apart for row in one.rows])
            account = fold(account.copy(), decision.rows)
            apart.append(decision)
            kept += [asked] if decision.refusal is None else []

        assert [to_bytes(one.account) for one in together] == [to_bytes(one.account) for one in apart]
        assert _all_rows(together) == _all_rows(apart)
        if kept:
            assert _all_rows(self._run(kept)) == _all_rows(together)

    @rule(data=st.data())
    def tick_twice_or_once(self, data: st.DataObject) -> None:
        """Tick(t1) then Tick(t2) leaves the rows of Tick(t2); only when they were written differs (invariant 18)."""
        course, choose = self._course, HypothesisChoices(data)
        sooner = draw_clock(choose, course.clock, [self._pair.reference])
        later = sooner + choose(_JUMPS)

        halfway = decide(self._pair.account, Tick(), clock=sooner, priced_by=course.priced_by)
        twice = decide(halfway.account, Tick(), clock=later, priced_by=course.priced_by)
        once = decide(self._pair.account, Tick(), clock=later, priced_by=course.priced_by)

        assert [_unwritten(row) for row in (*halfway.rows, *twice.rows)] == [_unwritten(row) for row in once.rows]
        assert _without_head(twice.account) == _without_head(once.account)

    def teardown(self) -> None:
        """The chain, the history and the fold of all rows from the first."""
        if self.course is not None:
            self._pair.check_in_full()

    @property
    def _course(self) -> Scenario:
        assert self.course is not None
        return self.course

    @property
    def _pair(self) -> Pair:
        return self._course.pairs[0]

    def _decide(self, account: Account, asked: KeyedCommand, before: Sequence[Transaction]) -> Decision:
        course = self._course
        prior = self._pair.past.with_rows(before)
        command = self._pair.command_of(asked)
        return decide(account, command, clock=course.clock, priced_by=course.priced_by, key=key_of(asked), prior=prior)

    def _run(self, batch: Sequence[KeyedCommand]) -> list[Decision]:
        decisions: list[Decision] = []
        account = self._pair.account
        for asked in batch:
            decision = self._decide(account, asked, _all_rows(decisions))
            account = decision.account
            decisions.append(decision)
        return decisions


TestOneAccount = OneAccount.TestCase
# The same examples at every run, so that a failure is never a matter of luck.
TestOneAccount.settings = settings(
    max_examples=40,
    stateful_step_count=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def _all_rows(decisions: Sequence[Decision]) -> list[Transaction]:
    return [row for decision in decisions for row in decision.rows]


def _unwritten(row: Transaction) -> Transaction:
    return msgspec.structs.replace(row, recorded_at=0, hash=b"")


def _without_head(account: Account) -> bytes:
    return to_bytes(msgspec.structs.replace(account, head=b""))
