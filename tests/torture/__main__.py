"""`python -m tests.torture --part PART --steps N --seed S`: runs a part for as long as told; 1 if something is wrong.

A part is a function of steps and seed that prints its progress and, last, what it tried at what rate.
"""

import argparse
import secrets
import signal
import sys
from collections.abc import Callable

from tests.torture.flips import run_flips
from tests.torture.histories import run_histories
from tests.torture.kill import run_kill
from tests.torture.lockstep import run_lockstep
from tests.torture.simulate import run_simulate

# What runs, and for how many steps, kills or requests where nothing is said.
PARTS: dict[str, tuple[Callable[[int, int], bool], int]] = {
    "lockstep": (run_lockstep, 3_000),
    "kill": (run_kill, 300),
    "histories": (run_histories, 200_000),
    "simulate": (run_simulate, 1_000_000),
    "flips": (run_flips, 100_000),
}


def main() -> int:
    """Run the part that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--part", choices=sorted(PARTS), default="lockstep")
    parser.add_argument("--steps", type=int, default=None, help="steps, kills or requests; each part has its own count")
    parser.add_argument("--seed", type=int, default=None, help="the same seed runs the same steps; else a new one")
    asked = parser.parse_args()
    # Asked to end, it ends what it has started first.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    run, usual = PARTS[asked.part]
    steps = usual if asked.steps is None else asked.steps
    print(f"torture: part {asked.part}, {steps} steps, seed {seed}", flush=True)
    return 0 if run(steps, seed) else 1


if __name__ == "__main__":
    sys.exit(main())
