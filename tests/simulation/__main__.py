"""`python -m tests.simulation SEED COMMANDS [MANY] [--planted BUG]`: runs one seed or many that begin so, a line each.

A seed that is given again gives the same line again, in any process. The end is 1 if something was wrong.
"""

import argparse
import sys

from tests.simulation.planted import PLANTED
from tests.simulation.store import SimulatedStore
from tests.simulation.world import Failure, simulate


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed")
    parser.add_argument("commands", type=int)
    parser.add_argument("many", type=int, nargs="?", help="run the seeds 'SEED 0', 'SEED 1' and so on")
    parser.add_argument(
        "--planted", choices=sorted(store.__name__ for store in PLANTED), help="with a bug in the store"
    )
    asked = parser.parse_args()
    stores = {store.__name__: store for store in PLANTED}
    make_store = stores[asked.planted] if asked.planted else SimulatedStore
    seeds = [asked.seed] if asked.many is None else [f"{asked.seed} {number}" for number in range(asked.many)]
    for seed in seeds:
        outcome = simulate(seed, asked.commands, make_store)
        if isinstance(outcome, Failure):
            print(f"seed '{seed}': FAILED at command {outcome.command}: {outcome.what}")
            print("\n".join(f"  {line}" for line in outcome.story))
            return 1
        print(f"seed '{seed}': {outcome.commands} commands, {outcome.rows} rows, digest {outcome.digest}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
