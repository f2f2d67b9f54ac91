"""The simulation bites: each bug that is planted in a store is found, and found again in the same place."""

from collections.abc import Iterator

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.store import SimulatedStore
from tests.simulation.world import Failure, simulate

pytestmark = pytest.mark.slow
SEEDS_MAX = 12
COMMANDS = 500


def failures(store: type[SimulatedStore]) -> Iterator[tuple[str, Failure]]:
    """The seeds that fail with this store."""
    for number in range(SEEDS_MAX):
        seed = f"planted {number}"
        outcome = simulate(seed, COMMANDS, store)
        if isinstance(outcome, Failure):
            yield seed, outcome


@pytest.mark.parametrize("store", PLANTED, ids=lambda store: store.__name__)
def test_a_planted_bug_is_found(store: type[SimulatedStore]) -> None:
    """One of a dozen seeds fails, says what is wrong, and says the same when it is run again."""
    seed, failure = next(failures(store))

    again = simulate(seed, COMMANDS, store)

    assert any(said in failure.what for said in PLANTED[store])
    assert again == failure
