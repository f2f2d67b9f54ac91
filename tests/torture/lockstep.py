"""`PART=lockstep`: reference, core, SQLite and PostgreSQL run the same steps, and are compared after each.

The steps form courses. Ten courses share their databases, so that catalogs and accounts accumulate; then both databases
are proved and emptied. Not here: a course and its steps (tests/lockstep).
"""

import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from itertools import count

from tests.ledger.databases import empty_tables, migrated_database
from tests.lockstep.choices import RandomChoices
from tests.lockstep.databases import Follower
from tests.lockstep.scenario import Scenario, begin
from tests.support.postgres import PostgresServer
from tests.torture.shrink import shrink
from tests.torture.tally import Tally

STEPS_A_COURSE = 60
COURSES_A_DATABASE = 10
PROGRESS_SECONDS = 10.0


def run_lockstep(steps: int, seed: int) -> bool:
    """Run this many steps, prove the databases, and print the counts; False if something differs."""
    tally = Tally()
    with PostgresServer() as server, migrated_database(server) as postgres, tempfile.TemporaryDirectory() as folder:
        for era in count():
            if tally.steps >= steps:
                break
            empty_tables(postgres)
            urls = [f"sqlite:///{folder}/era {era}.db", postgres]
            if not Era(tally, steps, seed, era).run(partial(_follow, urls)):
                return False
    print(tally.last_line(["SQLite", "PostgreSQL"]), flush=True)
    return True


def _follow(urls: list[str], course: Scenario) -> list[Follower]:
    return [Follower(url, course) for url in urls]


class Era:
    """The courses on one pair of databases, and the proof at the end."""

    def __init__(self, tally: Tally, steps: int, seed: int, number: int) -> None:
        self._tally, self._steps, self._seed, self._number = tally, steps, seed, number
        self._printed_at = time.monotonic()
        self._course: Scenario | None = None
        self._ends_at = 0
        self._followers: list[Follower] = []

    def run(self, follow: Callable[[Scenario], list[Follower]]) -> bool:
        """Run the courses on the two databases that `follow` opens; False after a failure, which is printed."""
        try:
            for index in range(COURSES_A_DATABASE):
                if self._tally.steps < self._steps:
                    self._run_course(self._number * COURSES_A_DATABASE + index, follow)
            first, second = (follower.contents() for follower in self._followers)
            assert first == second, "SQLite and PostgreSQL have different contents"
            self._tally.proved += sum([follower.prove().transactions for follower in self._followers])
        except Exception:  # noqa: BLE001 - for any failure the steps that reproduce it are printed
            self._print_failure()
            return False
        finally:
            for follower in self._followers:
                follower.close()
        return True

    def _run_course(self, number: int, follow: Callable[[Scenario], list[Follower]]) -> None:
        choose = RandomChoices(f"{self._seed} {number}")
        names = [f"{name}-{number}@example.com" for name in ("ada", "brook", "cleo")]
        course = self._course = begin(choose, names, after=self._course)
        if not self._followers:
            self._followers = follow(course)
        steps = min(STEPS_A_COURSE, self._steps - self._tally.steps)
        self._ends_at = self._tally.steps + steps
        for number in range(1, steps + 1):
            step = course.next_step(choose) if number < steps else course.last_step()
            self._tally.steps += 1
            done = course.run(step)
            for follower in self._followers:
                follower.follow(step, done)
            for _, asked, decision in done:
                self._tally.count(asked, decision)
            if time.monotonic() - self._printed_at > PROGRESS_SECONDS:
                self._printed_at = time.monotonic()
                print(self._tally.progress(self._steps), flush=True)
        for pair in course.pairs:
            pair.check_in_full()

    def _print_failure(self) -> None:
        print(traceback.format_exc())
        if self._course is not None:
            steps, is_pure = shrink(self._course)
            where = "without any database" if is_pure else "with the databases"
            print(f"These {len(steps)} steps reproduce it, {where}:")
            for step in steps:
                print(f"  {step}")
        # As many steps as the course has: a shorter course would end with another step, which moves the clock.
        print(
            f"FAILED in step {self._tally.steps}. Again: make torture SEED={self._seed} STEPS={self._ends_at}",
            flush=True,
        )
