"""`PART=simulate`: simulations with different seeds, one after another; then up to a hundred seeds twice.

Two processes with different hash seeds run these, and every event and every resulting byte must be the same. Not here:
the simulation (tests/simulation).
"""

import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.simulation.process import MakeStore
from tests.simulation.simulation import Failure, RunResult, simulate
from tests.simulation.store import SimulatedStore

COMMANDS_A_RUN = 10_000
COMMANDS_TWICE = 1_000
SEEDS_TWICE_MAX = 100
PROGRESS_SECONDS = 10.0
_ROOT = Path(__file__).parents[2]


@dataclass
class _Totals:
    """The counts of all runs so far."""

    began: float = field(default_factory=time.monotonic)
    runs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, tried: RunResult) -> None:
        """Add the counts of a run."""
        self.runs += 1
        self.faults.update(tried.faults)
        for name in ("commands", "answers", "replays", "refusals", "batches", "rows", "processes"):
            self.counts[name] += getattr(tried, name)

    def last_line(self, twice: int) -> str:
        """The summary: all counts, and the rate."""
        seconds = max(time.monotonic() - self.began, 0.001)
        commands, counts = self.counts["commands"], self.counts
        faults = ", ".join(f"{kind} {count}" for kind, count in self.faults.most_common())
        return (
            f"{commands} commands in {seconds:.0f} s ({commands / seconds:.0f} a second) in {self.runs} seeds: "
            f"{counts['answers']} answers ({counts['replays']} replays, {counts['refusals']} refusals), "
            f"{counts['batches']} batches committed, {counts['rows']} rows proved and decided again, "
            f"{counts['processes']} processes, {self.faults.total()} faults ({faults}); "
            f"{twice} seeds run twice, digest for digest the same"
        )


def run_simulate(steps: int, seed: int, make_store: MakeStore = SimulatedStore) -> bool:
    """Run this many commands, then some seeds twice, and print the counts; False after a failure."""
    totals, printed_at = _Totals(), time.monotonic()
    while totals.counts["commands"] < steps:
        commands = min(COMMANDS_A_RUN, steps - totals.counts["commands"])
        name = f"{seed} {totals.runs}"
        outcome = simulate(name, commands, make_store)
        if isinstance(outcome, Failure):
            _print_failure(name, commands, outcome)
            return False
        totals.add(outcome)
        if time.monotonic() - printed_at > PROGRESS_SECONDS:
            printed_at = time.monotonic()
            print(f"{totals.counts['commands']} of {steps} commands, {totals.faults.total()} faults", flush=True)
    twice = min(SEEDS_TWICE_MAX, totals.runs)
    if not run_twice(f"twice {seed}", COMMANDS_TWICE, twice):
        return False
    print(totals.last_line(twice), flush=True)
    return True


def run_twice(seed: str, commands: int, seeds: int, *options: str) -> bool:
    """Whether two processes print the same for each of these seeds, and both succeed."""
    runs = [_start([seed, str(commands), str(seeds), *options], hash_seed) for hash_seed in ("1", "2")]
    first, second = (run.communicate()[0].splitlines() for run in runs)
    for one, other in zip(first, second, strict=False):
        if one != other:
            print(f"not the same twice:\n  {one}\n  {other}", flush=True)
            return False
    if len(first) != seeds or any(run.returncode for run in runs):
        print("\n".join(["a run ended early:", *first[-50:]]), flush=True)
        return False
    return len(first) == len(second)


def _start(arguments: list[str], hash_seed: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _print_failure(name: str, commands: int, failure: Failure) -> None:
    print("\n".join(["The last events:", *(f"  {line}" for line in failure.story)]))
    print(failure.what)
    again = f"{Path(sys.executable).name} -m tests.simulation '{name}' {commands}"
    print(f"FAILED in seed '{name}' at command {failure.command}. Again: {again}", flush=True)
