"""Reference, core, SQLite, PostgreSQL and memory in lockstep, through all commands, batches, keys, catalogs, and time.

Runs of any length: `make torture`.
"""

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sixpence.ledger.sqlite.memory import Memory
from tests.ledger.databases import empty_tables
from tests.lockstep.choices import HypothesisChoices
from tests.lockstep.databases import Follower
from tests.lockstep.scenario import Scenario, Step, begin

_EXAMPLES = 7
_STEPS = 40
_SETTINGS = settings(
    max_examples=_EXAMPLES,
    stateful_step_count=_STEPS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_every_database_agrees_with_the_reference(tmp_path: Path, migrated_postgres_url: str) -> None:
    """After every step each has what was decided, byte for byte, and at the end each is verified from the first row."""

    class Lockstep(RuleBasedStateMachine):
        """Two accounts, in a fresh database of each kind, and in memory."""

        runs = 0

        def __init__(self) -> None:
            super().__init__()
            self.scenario: Scenario | None = None
            self.followers: list[Follower] = []

        @initialize(data=st.data())
        def it_begins(self, data: st.DataObject) -> None:
            """A first catalog, a start time, and empty databases."""
            Lockstep.runs += 1
            empty_tables(migrated_postgres_url)
            self.scenario = begin(HypothesisChoices(data), ["ada@example.com", "brook@example.com"])
            urls = (f"sqlite:///{tmp_path}/run {Lockstep.runs}.db", migrated_postgres_url, Memory())
            self.followers = [Follower(url, self.scenario) for url in urls]

        @rule(data=st.data())
        def a_step(self, data: st.DataObject) -> None:
            """Time passes, perhaps the catalog changes, and commands run."""
            assert self.scenario is not None
            self._run_step(self.scenario.next_step(HypothesisChoices(data)))

        def teardown(self) -> None:
            """All databases are equal, and verified."""
            try:
                if self.scenario is not None:
                    self._run_step(self.scenario.last_step())
                    for pair in self.scenario.pairs:
                        pair.check_in_full()
                    first, second, third = (follower.contents() for follower in self.followers)
                    assert first == second == third
            finally:
                for follower in self.followers:
                    follower.close()
            for follower in self.followers:
                follower.prove()

        def _run_step(self, step: Step) -> None:
            assert self.scenario is not None
            done = self.scenario.run(step)
            for follower in self.followers:
                follower.follow(step, done)

    run_state_machine_as_test(Lockstep, settings=_SETTINGS)
