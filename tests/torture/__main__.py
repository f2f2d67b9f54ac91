"""`python -m tests.torture --part PART --steps N --seed S`: runs a part for as long as told; 1 if something is wrong.

A part is a function of steps and seed that prints its progress and, last, what it tried at what rate.
"""

import argparse
import secrets
import sys
from collections.abc import Callable

from tests.torture.lockstep import run_lockstep

PARTS: dict[str, Callable[[int, int], bool]] = {"lockstep": run_lockstep}


def main() -> int:
    """Run the part that was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture")
    parser.add_argument("--part", choices=sorted(PARTS), default="lockstep")
    parser.add_argument("--steps", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=None, help="the same seed runs the same steps; else a new one")
    asked = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    print(f"torture: part {asked.part}, {asked.steps} steps, seed {seed}", flush=True)
    return 0 if PARTS[asked.part](asked.steps, seed) else 1


if __name__ == "__main__":
    sys.exit(main())
