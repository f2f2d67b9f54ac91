"""A random scenario: several accounts with one clock and one series of catalogs, drawn and run step by step.

It runs on the pure core and the reference; `Follower` (databases.py) repeats it. Everything is drawn through `choose`.
"""

from dataclasses import dataclass, field

import msgspec

from sixpence.core.account.commands import GrantCredits, Tick
from sixpence.core.catalog.catalog import Catalog, PricedBy
from sixpence.core.rules.decide import Decision
from sixpence.core.values.instant import DAY
from tests.core.reference import Reference
from tests.lockstep.catalogs import CATALOGS
from tests.lockstep.choices import Choose
from tests.lockstep.commands import KeyedCommand, draw_keyed_command
from tests.lockstep.pair import Pair
from tests.lockstep.timing import draw_beginning, draw_clock, draw_due

_CATALOG_EVERY = 20
_BATCH_MAX = 5
_LONG = 50 * DAY


@dataclass(frozen=True)
class Step:
    """One instant of a scenario: perhaps a new catalog, then commands, each for one of the accounts."""

    clock: int
    catalog: Catalog | None = None
    commands: tuple[tuple[int, KeyedCommand], ...] = ()

    def __str__(self) -> str:
        catalog = [] if self.catalog is None else [f"catalog {CATALOGS.index(self.catalog) + 1} is applied"]
        commands = [f"account {number}: {asked.command} key={asked.key!r}" for number, asked in self.commands]
        return f"at {self.clock}: " + "; ".join([*catalog, *commands])


@dataclass
class Scenario:
    """The accounts, the time and the catalog after the steps so far."""

    pairs: list[Pair]
    clock: int
    priced_by: PricedBy
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began_at, self.began_with = self.clock, self.priced_by

    def next_step(self, choose: Choose) -> Step:
        """Draw the next step and record it; `run` executes it."""
        references = [pair.reference for pair in self.pairs]
        clock, catalog = draw_clock(choose, self.clock, references), None
        asks = True
        if choose(range(_CATALOG_EVERY)) == _CATALOG_EVERY - 1:
            catalog = choose([one for one in CATALOGS if one is not self.priced_by.catalog])
            clock = draw_due(choose, clock, references) if choose([True, False]) else clock
            asks = choose([True, False])
        step = Step(clock, catalog, tuple(self._draw_commands(choose, clock)) if asks else ())
        self.steps.append(step)
        return step

    def last_step(self) -> Step:
        """A step after all holds, grace periods and short terms: a tick and a grant for every account."""
        commands = [KeyedCommand(Tick()), KeyedCommand(GrantCredits(amount=1))]
        asked = tuple((number, one) for number in range(len(self.pairs)) for one in commands)
        last_at = max(_last_at(pair.reference) for pair in self.pairs)
        step = Step(max(self.clock, last_at) + _LONG, None, asked)
        self.steps.append(step)
        return step

    def run(self, step: Step) -> list[tuple[Pair, KeyedCommand, Decision | None]]:
        """Run the step on core and reference; a replayed key gives None as its decision."""
        self.clock = step.clock
        if step.catalog is not None:
            self.apply(step.catalog)
        done: list[tuple[Pair, KeyedCommand, Decision | None]] = []
        for number, asked in step.commands:
            pair = self.pairs[number]
            replayed = asked.key is not None and asked.key in pair.keys
            decision = None if replayed else pair.ask(asked, clock=self.clock, priced_by=self.priced_by)
            done.append((pair, asked, decision))
        return done

    def apply(self, catalog: Catalog) -> None:
        """Apply the catalog; no version is applied before the one that it follows."""
        before = self.priced_by
        earlier = (*before.earlier, msgspec.structs.replace(before, earlier=()))
        self.priced_by = PricedBy(before.version + 1, catalog, max(self.clock, before.applied_at), earlier)

    def _draw_commands(self, choose: Choose, clock: int) -> list[tuple[int, KeyedCommand]]:
        count = choose([1, 1, 1, 1, 1, _BATCH_MAX - 2, _BATCH_MAX]) if len(self.pairs) > 1 else 1
        asked: list[tuple[int, KeyedCommand]] = []
        for _ in range(count):
            number = choose(range(len(self.pairs)))
            pair = self.pairs[number]
            keys = {**pair.keys, **{one.key: one for to, one in asked if to == number and one.key is not None}}
            asked.append(
                (number, draw_keyed_command(choose, pair.reference, max(clock, _last_at(pair.reference)), keys))
            )
        return asked


def begin(choose: Choose, account_ids: list[str], *, after: Scenario | None = None) -> Scenario:
    """A new scenario: accounts that do not exist yet, a clock, and a first catalog or that of the scenario `after`.

    Its first step may set the clock back, but not the catalogs.
    """
    pairs = [Pair(name) for name in account_ids]
    if after is not None:
        return Scenario(pairs, draw_beginning(choose, after.clock), after.priced_by)
    clock = draw_beginning(choose, None)
    return Scenario(pairs, clock, PricedBy(1, choose(CATALOGS), clock))


def _last_at(reference: Reference) -> int:
    return reference.rows[-1].at if reference.rows else 0
