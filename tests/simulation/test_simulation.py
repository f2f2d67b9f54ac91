"""The simulation: runs succeed, have every kind of fault, and are equal for equal seeds."""

from collections import Counter

import pytest

from tests.simulation.faults import AT_COMMIT, AT_POINTS
from tests.simulation.simulation import Failure, RunResult, simulate
from tests.torture.simulate import run_twice

pytestmark = pytest.mark.slow

SEEDS = [f"suite {number}" for number in range(10)]
COMMANDS = 600


@pytest.fixture(scope="module")
def outcomes() -> list[RunResult | Failure]:
    """The results of ten short runs."""
    return [simulate(seed, COMMANDS) for seed in SEEDS]


@pytest.fixture
def tried(outcomes: list[RunResult | Failure]) -> list[RunResult]:
    """The successful ones."""
    return [outcome for outcome in outcomes if isinstance(outcome, RunResult)]


def test_nothing_is_lost_doubled_or_stuck(outcomes: list[RunResult | Failure]) -> None:
    """Ten seeds, some thousand commands: every invariant holds, every request is answered, every process ends."""
    assert [outcome for outcome in outcomes if isinstance(outcome, Failure)] == []


def test_every_kind_of_fault_happens(tried: list[RunResult]) -> None:
    """A fault that never happens tests nothing."""
    faults = sum((one.faults for one in tried), Counter[str]())

    wanted = {
        *AT_POINTS,
        *AT_COMMIT,
        *("answer lost", "duplicated", "left for later", "poisoned", "overloaded", "nobody there", "lock wait"),
        *("restart", "server falls", "clock forward", "clock back", "catalog applied", "account held by others"),
        *("permit given or revoked", "job"),
    }

    assert wanted - faults.keys() == set()


def test_commands_have_every_outcome(tried: list[RunResult]) -> None:
    """Most commands write a row, some are refused, some are replays."""
    rows, refusals, replays = (sum(getattr(one, name) for one in tried) for name in ("rows", "refusals", "replays"))

    assert rows > COMMANDS * len(SEEDS) / 2
    assert refusals > rows / 20
    assert replays > 20


def test_a_seed_is_the_same_in_every_process() -> None:
    """Two processes with different hash seeds have the same events and the same bytes."""
    assert run_twice("suite", 300, 3)


def test_seeds_differ(tried: list[RunResult]) -> None:
    """No two runs are the same."""
    assert len({one.digest for one in tried}) == len(SEEDS)
