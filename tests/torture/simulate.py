"""The simulation for as long as told: one run after another, each a seed of its own; then a hundred seeds twice.

These are run by two processes that order their sets differently, and everything that happened has to be the same in
both, and every byte that was left. Not here: what a run is (tests/simulation).
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
class _Sum:
    """What all runs so far have tried."""

    began: float = field(default_factory=time.monotonic)
    runs: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, tried: RunResult) -> None:
        """One run more."""
        self.runs += 1
        self.faults.update(tried.faults)
        for name in ("commands", "answers", "replays", "refusals", "batches", "rows", "processes"):
            self.counts[name] += getattr(tried, name)

    def last_line(self, twice: int) -> str:
        """All that was tried, at what rate."""
        seconds = max(time.monotonic() - self.began, 0.001)
        commands, counts = self.counts["commands"], self.counts
        faults = ", ".join(f"{kind} {count}" for kind, count in self.faults.most_common())
        return (
            f"{commands} commands in {seconds:.0f} s ({commands / seconds:.0f} a second) in {self.runs} seeds: "
            f"{counts['answers']} answers ({counts['replays']} replays, {counts['refusals']} refusals), "
            f"{counts['batches']} batches committed, {counts['rows']} rows proved and decided anew, "
            f"{counts['processes']} processes, {self.faults.total()} faults ({faults}); "
            f"{twice} seeds run twice, digest for digest the same"
        )


def run_simulate(steps: int, seed: int, make_store: MakeStore = SimulatedStore) -> bool:
    """Run so many commands and some seeds twice, and say what was tried; False when something was wrong."""
    tried, told = _Sum(), time.monotonic()
    while tried.counts["commands"] < steps:
        commands = min(COMMANDS_A_RUN, steps - tried.counts["commands"])
        name = f"{seed} {tried.runs}"
        outcome = simulate(name, commands, make_store)
        if isinstance(outcome, Failure):
            _tell(name, commands, outcome)
            return False
        tried.add(outcome)
        if time.monotonic() - told > PROGRESS_SECONDS:
            told = time.monotonic()
            print(f"{tried.counts['commands']} of {steps} commands, {tried.faults.total()} faults", flush=True)
    twice = min(SEEDS_TWICE_MAX, tried.runs)
    if not run_twice(f"twice {seed}", COMMANDS_TWICE, twice):
        return False
    print(tried.last_line(twice), flush=True)
    return True


def run_twice(seed: str, commands: int, many: int, *more: str) -> bool:
    """Whether two processes find the same in each of these seeds, and nothing wrong."""
    runs = [_begin([seed, str(commands), str(many), *more], hash_seed) for hash_seed in ("1", "2")]
    first, second = (run.communicate()[0].splitlines() for run in runs)
    for one, other in zip(first, second, strict=False):
        if one != other:
            print(f"not the same twice:\n  {one}\n  {other}", flush=True)
            return False
    if len(first) != many or any(run.returncode for run in runs):
        print("\n".join(["a run ended early:", *first[-50:]]), flush=True)
        return False
    return len(first) == len(second)


def _begin(arguments: list[str], hash_seed: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.simulation", *arguments]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    return subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def _tell(name: str, commands: int, failure: Failure) -> None:
    print("\n".join(["What happened last:", *(f"  {line}" for line in failure.story)]))
    print(failure.what)
    again = f"{Path(sys.executable).name} -m tests.simulation '{name}' {commands}"
    print(f"FAILED in seed '{name}' at command {failure.command}. Again: {again}", flush=True)
