"""The result file of a part, `results/<part>-<date>.json`: every round, kept or not."""

import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench.machine import Machine, this_machine
from bench.part import Figure, Options, Part, Spread, spread
from bench.rounds import Round, ratios_of

RESULTS = Path(__file__).with_name("results")


class Reached(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio as it was measured: its value in each kept round, beside its target."""

    name: str
    values: list[float]
    at_least: float | None
    aim: float | None
    less_is_better: bool

    @property
    def spread(self) -> Spread | None:
        """The median with minimum and maximum; None if no round was kept."""
        return spread(self.values) if self.values else None

    @property
    def verdict(self) -> str:
        """One word: whether the median reached its target."""
        found = self.spread
        if found is None:
            return "not measured"
        if self.at_least is None:
            return ""
        if self.aim is not None and self._meets(found.median, self.aim):
            return "aim reached"
        return "reached" if self._meets(found.median, self.at_least) else "not reached"

    def _meets(self, value: float, wanted: float) -> bool:
        return value <= wanted if self.less_is_better else value >= wanted


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One part as it was run on one day."""

    part: str
    title: str
    unit: str
    date: str
    machine: Machine
    options: Options
    contenders: list[str]
    ratios: list[Reached]
    rounds: list[Round]

    @property
    def kept(self) -> list[Round]:
        """The rounds that count."""
        return [one for one in self.rounds if one.kept]

    def figures(self, contender: str) -> list[Figure]:
        """The contender's figures in the rounds that count."""
        return [one.figures[contender] for one in self.kept if contender in one.figures]


def result_of(part: Part, options: Options, rounds: Sequence[Round]) -> Result:
    """Return the result of a part that was run today."""
    ratios = [
        Reached(
            name=ratio.name,
            values=ratios_of(rounds, ratio),
            at_least=ratio.at_least,
            aim=ratio.aim,
            less_is_better=ratio.less_is_better,
        )
        for ratio in part.ratios
    ]
    return Result(
        part=part.letter,
        title=part.title,
        unit=part.unit,
        date=time.strftime("%Y-%m-%d"),
        machine=this_machine(),
        options=options,
        contenders=list(part.contenders),
        ratios=ratios,
        rounds=list(rounds),
    )


def write(result: Result, folder: Path) -> Path:
    """Write the result; replaces an earlier one of the same day."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{result.part}-{result.date}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return path


def newest(letters: Sequence[str], folder: Path) -> list[Result]:
    """Return the newest result of each measured part, in the order of the parts."""
    found = []
    for letter in letters:
        paths = sorted(folder.glob(f"{letter}-????-??-??.json"))
        if paths:
            found.append(msgspec.json.decode(paths[-1].read_bytes(), type=Result))
    return found
