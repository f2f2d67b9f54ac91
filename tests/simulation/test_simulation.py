"""The simulation itself: runs end well, meet what they are to meet, and are the same for the same seed everywhere."""

from collections import Counter

import pytest

from tests.simulation.faults import AT_COMMIT, AT_POINTS
from tests.simulation.world import Failure, Tried, simulate
from tests.torture.simulate import run_twice

pytestmark = pytest.mark.slow
SEEDS = [f"suite {number}" for number in range(10)]
COMMANDS = 600


@pytest.fixture(scope="module")
def outcomes() -> list[Tried | Failure]:
    """What became of ten short runs."""
    return [simulate(seed, COMMANDS) for seed in SEEDS]


@pytest.fixture
def tried(outcomes: list[Tried | Failure]) -> list[Tried]:
    """Those that went well, and what they tried."""
    return [outcome for outcome in outcomes if isinstance(outcome, Tried)]


def test_nothing_is_lost_doubled_or_stuck(outcomes: list[Tried | Failure]) -> None:
    """Ten seeds, some thousand commands: every invariant holds, every request is answered, every process ends."""
    assert [outcome for outcome in outcomes if isinstance(outcome, Failure)] == []


def test_every_kind_of_fault_is_met(tried: list[Tried]) -> None:
    """A fault that never comes tests nothing."""
    faults = sum((one.faults for one in tried), Counter[str]())

    wanted = {
        *AT_POINTS,
        *AT_COMMIT,
        *("answer lost", "duplicated", "left for later", "poisoned", "overloaded", "nobody there", "lock wait"),
        *("restart", "server falls", "clock forward", "clock back", "catalog applied", "account held by others"),
        *("permit given or revoked", "job"),
    }

    assert wanted - faults.keys() == set()


def test_the_commands_come_to_something(tried: list[Tried]) -> None:
    """Most commands leave a row, some are refused, some are answered from what was done before."""
    rows, refusals, replays = (sum(getattr(one, name) for one in tried) for name in ("rows", "refusals", "replays"))

    assert rows > COMMANDS * len(SEEDS) / 2
    assert refusals > rows / 20
    assert replays > 20


def test_a_seed_is_the_same_in_every_process() -> None:
    """Two processes that order their sets differently see the same happen and leave the same bytes."""
    assert run_twice("suite", 300, 3)


def test_seeds_differ(tried: list[Tried]) -> None:
    """No two runs are the same."""
    assert len({one.digest for one in tried}) == len(SEEDS)
