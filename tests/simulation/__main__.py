"""`python -m tests.simulation SEED COMMANDS [MANY] [--planted BUG]`: runs one seed, or many.

Many seeds are 'SEED 0', 'SEED 1' and so on; each prints a line. The same seed gives the same line in any process. The
exit code is 1 after a failure.
"""

import argparse
import sys

from tests.simulation.planted import PLANTED
from tests.simulation.simulation import Failure, simulate
from tests.simulation.store import SimulatedStore


def main() -> int:
    """Run the seeds and print the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("seed")
    parser.add_argument("commands", type=int)
    parser.add_argument("many", type=int, nargs="?", help="run the seeds 'SEED 0', 'SEED 1' and so on")
    parser.add_argument(
        "--planted", choices=sorted(store.__name__ for store in PLANTED), help="with a bug in the store"
    )
    options = parser.parse_args()
    stores = {store.__name__: store for store in PLANTED}
    make_store = stores[options.planted] if options.planted else SimulatedStore
    seeds = [options.seed] if options.many is None else [f"{options.seed} {number}" for number in range(options.many)]
    for seed in seeds:
        outcome = simulate(seed, options.commands, make_store)
        if isinstance(outcome, Failure):
            print(f"seed '{seed}': FAILED at command {outcome.command}: {outcome.what}")
            print("\n".join(f"  {line}" for line in outcome.story))
            return 1
        print(f"seed '{seed}': {outcome.commands} commands, {outcome.rows} rows, digest {outcome.digest}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
