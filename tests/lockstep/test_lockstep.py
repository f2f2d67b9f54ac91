"""Reference, core, SQLite, PostgreSQL and memory in lockstep, through all commands, batches, keys, catalogs, and time.

As long as one likes: `make torture`.
"""

from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sixpence.ledger.sqlite.memory import Memory
from tests.lockstep.choosing import Drawn
from tests.lockstep.course import Course, Step, begin
from tests.lockstep.databases import Follower, empty

_EXAMPLES = 7
_STEPS = 40
_SETTINGS = settings(
    max_examples=_EXAMPLES,
    stateful_step_count=_STEPS,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


def test_every_database_does_what_the_reference_says(tmp_path: Path, migrated_postgres_url: str) -> None:
    """After every step each holds what was decided, byte for byte, and at the end each is proved from the first row."""

    class Lockstep(RuleBasedStateMachine):
        """Two accounts, in a fresh database of each kind, and in memory."""

        runs = 0

        def __init__(self) -> None:
            super().__init__()
            self.course: Course | None = None
            self.followers: list[Follower] = []

        @initialize(data=st.data())
        def it_begins(self, data: st.DataObject) -> None:
            """A first catalog, a time to begin at, and empty databases."""
            Lockstep.runs += 1
            empty(migrated_postgres_url)
            self.course = begin(Drawn(data), ["ada@example.com", "brook@example.com"])
            urls = (f"sqlite:///{tmp_path}/run {Lockstep.runs}.db", migrated_postgres_url, Memory())
            self.followers = [Follower(url, self.course) for url in urls]

        @rule(data=st.data())
        def a_step(self, data: st.DataObject) -> None:
            """Time goes on, perhaps the catalog changes, and commands come."""
            assert self.course is not None
            self._go_on(self.course.next_step(Drawn(data)))

        def teardown(self) -> None:
            """All databases are the same, and proved."""
            try:
                if self.course is not None:
                    self._go_on(self.course.last_step())
                    for pair in self.course.pairs:
                        pair.check_in_full()
                    first, second, third = (follower.contents() for follower in self.followers)
                    assert first == second == third
            finally:
                for follower in self.followers:
                    follower.close()
            for follower in self.followers:
                follower.prove()

        def _go_on(self, step: Step) -> None:
            assert self.course is not None
            done = self.course.run(step)
            for follower in self.followers:
                follower.follow(step, done)

    run_state_machine_as_test(Lockstep, settings=_SETTINGS)
