"""The simulation finds each planted bug of a store, and finds it again with the same seed."""

from collections.abc import Iterator

import pytest

from tests.simulation.planted import PLANTED
from tests.simulation.simulation import Failure, simulate
from tests.simulation.store import SimulatedStore

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
    """One of a dozen seeds fails with an expected message, and with the same one when it runs again."""
    seed, failure = next(failures(store))

    again = simulate(seed, COMMANDS, store)

    assert any(said in failure.what for said in PLANTED[store])
    assert again == failure
