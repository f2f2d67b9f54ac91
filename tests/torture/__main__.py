"""`python -m tests.torture --part PART --steps N --seed S`: runs one part; the exit status is 1 after a failure.

A part is a function of steps and seed. It prints its progress, and as the last line its counts and their rate.
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

# Each part with its default number of steps, kills or requests.
PARTS: dict[str, tuple[Callable[[int, int], bool], int]] = {
    "lockstep": (run_lockstep, 3_000),
    "kill": (run_kill, 300),
    "histories": (run_histories, 200_000),
    "simulate": (run_simulate, 1_000_000),
    "flips": (run_flips, 100_000),
}


def main() -> int:
    """Run the chosen part."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--part", choices=sorted(PARTS), default="lockstep")
    parser.add_argument("--steps", type=int, default=None, help="steps, kills or requests; each part has a default")
    parser.add_argument("--seed", type=int, default=None, help="the same seed runs the same steps; default: a new one")
    arguments = parser.parse_args()
    # SIGTERM exits through Python, so that started processes are ended first.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    run, default_steps = PARTS[arguments.part]
    steps = default_steps if arguments.steps is None else arguments.steps
    print(f"torture: part {arguments.part}, {steps} steps, seed {seed}", flush=True)
    return 0 if run(steps, seed) else 1


if __name__ == "__main__":
    sys.exit(main())
