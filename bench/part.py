"""The elements of a part: contenders that run side by side, and the ratios between their figures.

Lives here: the bench's data types. Not here: how rounds are run (`rounds`), and any part (`parts/`).
"""

import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal

import msgspec

Of = Literal["value", "p50_ms", "p99_ms"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of a contender gave: `value` in the contender's unit, latencies in milliseconds where it has them.

    `facts` are further numbers by name, shown and kept as they are.
    """

    value: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    facts: dict[str, float] = {}


class Outcome(msgspec.Struct, frozen=True):
    """A run that has ended: its figure, how many requests failed, and the ledger of ours it left, to be verified.

    A run whose load was not as intended is `dropped`, and its round with it.
    """

    figure: Figure
    failed: int = 0
    ledger: str | None = None
    dropped: bool = False


# One run on a freshly made database, which is there until the context ends: after the round was verified.
Run = Callable[[], AbstractContextManager[Outcome]]


class Options(msgspec.Struct, frozen=True):
    """The options of a part. `seconds` is how long a contender runs, `warm_seconds` how long before that.

    A round in which the disk's probe moved more than `moved_percent_max` is thrown away, and another run in its place,
    up to `extra_rounds_max`.
    """

    rounds: int = 5
    seconds: int = 4
    warm_seconds: int = 1
    accounts: int = 100_000
    extra_rounds_max: int = 5
    moved_percent_max: int = 30


class Ratio(msgspec.Struct, frozen=True, kw_only=True):
    """The best of some contenders to the best of others, in one round; with what it should reach.

    `of` says which figure; for a time less is better, and then `at_least` and `aim` are the most it may be.
    """

    name: str
    above: tuple[str, ...]
    below: tuple[str, ...]
    at_least: float | None = None
    aim: float | None = None
    of: Of = "value"
    less_is_better: bool = False

    def in_round(self, figures: Mapping[str, Figure]) -> float | None:
        """The ratio in a round, None where one side has no figure."""
        above, below = self._best(self.above, figures), self._best(self.below, figures)
        return None if above is None or not below else above / below

    def _best(self, names: tuple[str, ...], figures: Mapping[str, Figure]) -> float | None:
        found = [getattr(figures[name], self.of) for name in names if name in figures]
        values: list[float] = [value for value in found if value is not None]
        if not values:
            return None
        return min(values) if self.less_is_better else max(values)


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part: `opened` prepares it and gives a run for each of `contenders`; it cleans up at its end.

    `short` parts belong to the short table, without their contenders `beyond_short`. `unit` is the unit of the figures;
    `seconds` is how long a contender runs, and `accounts` how many there are, by default. For saying
    beforehand how long it takes: `setup_seconds` is what opening takes, and `between_seconds` what each run takes
    beside its own seconds (a database, a server, a probe, verification).
    """

    letter: str
    title: str
    contenders: tuple[str, ...]
    ratios: tuple[Ratio, ...]
    opened: Callable[[Options], AbstractContextManager[Mapping[str, Run]]]
    short: bool
    beyond_short: tuple[str, ...] = ()
    unit: str = "a second"
    seconds: int = 4
    accounts: int = 100_000
    setup_seconds: float = 30
    between_seconds: float = 6

    def shortened(self) -> "Part":
        """The part in the short table."""
        left = tuple(name for name in self.contenders if name not in self.beyond_short)
        ratios = tuple(one for one in self.ratios if {*left} & {*one.above} and {*left} & {*one.below})
        return msgspec.structs.replace(self, contenders=left, ratios=ratios)

    def minutes(self, options: Options) -> float:
        """About how long the part takes, without rounds in the place of disturbed ones."""
        a_run = options.seconds + options.warm_seconds + self.between_seconds
        return (self.setup_seconds + options.rounds * len(self.contenders) * a_run) / 60


class Spread(msgspec.Struct, frozen=True):
    """The median of some rounds, with minimum and maximum."""

    median: float
    least: float
    most: float


def spread(values: list[float]) -> Spread:
    """The spread of at least one value."""
    return Spread(statistics.median(values), min(values), max(values))
