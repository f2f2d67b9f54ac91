"""A course of events: several accounts under one clock and one line of catalogs, drawn and run step by step.

Runs on the pure core and the reference; `Databases` (databases.py) follow it. All that is drawn goes through `choose`.
"""

from dataclasses import dataclass, field

import msgspec

from sixpence.core.account.commands import GrantCredits, Tick
from sixpence.core.catalog.catalog import Catalog, PricedBy
from sixpence.core.rules.decide import Decision
from sixpence.core.values.instant import DAY
from tests.core.reference import Reference
from tests.lockstep.asking import Asked, draw_asked
from tests.lockstep.choosing import Choose
from tests.lockstep.pair import Pair
from tests.lockstep.timing import draw_beginning, draw_clock, draw_due
from tests.lockstep.world import CATALOGS

_CATALOG_EVERY = 20
_BATCH_MAX = 5
_LONG = 50 * DAY


@dataclass(frozen=True)
class Step:
    """What happens at one reading of the clock: perhaps a new catalog, then commands, each for one of the accounts."""

    clock: int
    catalog: Catalog | None = None
    asked: tuple[tuple[int, Asked], ...] = ()

    def __str__(self) -> str:
        catalog = [] if self.catalog is None else [f"catalog {CATALOGS.index(self.catalog) + 1} is applied"]
        commands = [f"account {number}: {asked.command} key={asked.key!r}" for number, asked in self.asked]
        return f"at {self.clock}: " + "; ".join([*catalog, *commands])


@dataclass
class Course:
    """The accounts, the time and the catalog, as far as the steps have come."""

    pairs: list[Pair]
    clock: int
    priced_by: PricedBy
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began_at, self.began_with = self.clock, self.priced_by

    def next_step(self, choose: Choose) -> Step:
        """Draw what comes next, and take it into the course's record; `run` makes it happen."""
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
        """When all holds, grace and short terms are over: time goes on for every account, and credits still come."""
        commands = [Asked(Tick()), Asked(GrantCredits(amount=1))]
        asked = tuple((number, one) for number in range(len(self.pairs)) for one in commands)
        last_at = max(_last_at(pair.reference) for pair in self.pairs)
        step = Step(max(self.clock, last_at) + _LONG, None, asked)
        self.steps.append(step)
        return step

    def run(self, step: Step) -> list[tuple[Pair, Asked, Decision | None]]:
        """Make the step happen on core and reference; None stands for the decision of a key that was used before."""
        self.clock = step.clock
        if step.catalog is not None:
            self.apply(step.catalog)
        done: list[tuple[Pair, Asked, Decision | None]] = []
        for number, asked in step.asked:
            pair = self.pairs[number]
            replayed = asked.key is not None and asked.key in pair.keys
            decision = None if replayed else pair.ask(asked, clock=self.clock, priced_by=self.priced_by)
            done.append((pair, asked, decision))
        return done

    def apply(self, catalog: Catalog) -> None:
        """Make the catalog the one in force; no version counts as applied before the one it follows."""
        before = self.priced_by
        earlier = (*before.earlier, msgspec.structs.replace(before, earlier=()))
        self.priced_by = PricedBy(before.version + 1, catalog, max(self.clock, before.applied_at), earlier)

    def _draw_commands(self, choose: Choose, clock: int) -> list[tuple[int, Asked]]:
        count = choose([1, 1, 1, 1, 1, _BATCH_MAX - 2, _BATCH_MAX]) if len(self.pairs) > 1 else 1
        asked: list[tuple[int, Asked]] = []
        for _ in range(count):
            number = choose(range(len(self.pairs)))
            pair = self.pairs[number]
            keys = {**pair.keys, **{one.key: one for to, one in asked if to == number and one.key is not None}}
            asked.append((number, draw_asked(choose, pair.reference, max(clock, _last_at(pair.reference)), keys)))
        return asked


def begin(choose: Choose, account_ids: list[str], *, after: Course | None = None) -> Course:
    """A course that has not begun: accounts that are not there yet, a clock, a first catalog or that of the one before.

    Its first step may set the clock back, but not the catalogs.
    """
    pairs = [Pair(name) for name in account_ids]
    if after is not None:
        return Course(pairs, draw_beginning(choose, after.clock), after.priced_by)
    clock = draw_beginning(choose, None)
    return Course(pairs, clock, PricedBy(1, choose(CATALOGS), clock))


def _last_at(reference: Reference) -> int:
    return reference.rows[-1].at if reference.rows else 0
