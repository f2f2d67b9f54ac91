"""The counts of a lockstep run: steps, commands, refusals and rows, summarized in its last line."""

import time
from collections import Counter
from dataclasses import dataclass, field

from sixpence.core.rules.decide import Decision
from tests.lockstep.commands import KeyedCommand


@dataclass
class Tally:
    """Counts of steps, commands, refusals and rows, and the time since it began."""

    steps: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    due: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    replays: int = 0
    proved: int = 0
    began: float = field(default_factory=time.monotonic)

    def count(self, asked: KeyedCommand, decision: Decision | None) -> None:
        """Count a command and its decision; None is the replay of a used key."""
        self.commands[type(asked.command).__name__] += 1
        if decision is None:
            self.replays += 1
            return
        self.rows += len(decision.rows)
        self.due.update(row.kind for row in decision.rows if row is not decision.row)
        if decision.row is not None:
            self.own[decision.row.kind] += 1
        if decision.refusal is not None:
            self.refusals[decision.refusal.code] += 1

    @property
    def seconds(self) -> float:
        """The seconds since it began."""
        return time.monotonic() - self.began

    def progress(self, of: int) -> str:
        """The progress, in one line."""
        rate = self.steps / max(self.seconds, 0.001)
        return f"{self.steps} of {of} steps, {self.rows} rows, {rate:.1f} steps a second"

    def last_line(self, databases: list[str]) -> str:
        """The summary: all counts, and the rate."""
        return (
            f"{self.steps} steps in {self.seconds:.0f} s ({self.steps / max(self.seconds, 0.001):.1f} a second) on "
            f"{' and '.join(databases)}: {self.commands.total()} commands ({_listed(self.commands)}), "
            f"{self.replays} with a used key, {self.refusals.total()} refused ({_listed(self.refusals)}), "
            f"{self.own.total()} rows by command ({_listed(self.own)}), "
            f"{self.due.total()} rows by time ({_listed(self.due)}), "
            f"{self.proved} rows in the databases proved and decided again by verify"
        )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
