"""Rounds: each runs every contender once, in an order that rotates, with a probe of the disk between all runs.

A round in which the probe moved more than 30 percent, around one of its runs or from its first to its last, is thrown
away, and another is run in its place, up to a limit. After each round every ledger of ours in it is verified.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import pairwise

import msgspec

from bench.part import Figure, Options, Part, Ratio, Run
from bench.probe import disturbed, fsyncs_a_second
from bench.verified import NotVerifiedError, verify_all


class Round(msgspec.Struct, kw_only=True):
    """One round: its contenders in the order they ran, a probe (fsyncs a second) before the first and after each."""

    order: list[str]
    probes: list[float]
    figures: dict[str, Figure]
    verified_transactions: int = 0
    kept: bool = True


class RoundFailedError(Exception):
    """Requests failed, or a ledger does not verify: whatever was measured is worth nothing."""


def run_part(part: Part, options: Options) -> list[Round]:
    """Run the part's rounds until as many as asked for were kept, or the limit is reached; gives all of them."""
    rounds: list[Round] = []
    with part.opened(options) as runs:
        if set(runs) != set(part.contenders):
            raise RuntimeError(f"part {part.letter} names other contenders than it runs: {set(runs)}")
        while sum(one.kept for one in rounds) < options.rounds and len(rounds) < most(options):
            rounds.append(_round(rotated(part.contenders, len(rounds)), runs))
            print(told(part, rounds[-1], len(rounds)), flush=True)
    return rounds


def most(options: Options) -> int:
    """How many rounds are run at most, disturbed ones included."""
    return options.rounds + options.extra_rounds_max


def rotated(contenders: Sequence[str], number: int) -> list[str]:
    """The order of a round: each begins with another contender."""
    first = number % len(contenders)
    return [*contenders[first:], *contenders[:first]]


def is_kept(probes: Sequence[float]) -> bool:
    """Whether the machine stayed the same around each run, and from the first to the last."""
    return not any(disturbed(*pair) for pair in [*pairwise(probes), (probes[0], probes[-1])])


def ratios_of(rounds: Sequence[Round], ratio: Ratio) -> list[float]:
    """The ratio within each round that was kept."""
    found = [ratio.in_round(one.figures) for one in rounds if one.kept]
    return [value for value in found if value is not None]


def told(part: Part, one: Round, number: int) -> str:
    """A line on the round for whoever watches."""
    figures = ", ".join(f"{name} {value_text(one.figures[name].value)}" for name in part.contenders)
    probes = f"disk {min(one.probes):,.0f} to {max(one.probes):,.0f}"
    verdict = "kept" if one.kept else "thrown away, the disk moved more than 30 percent"
    verified = f", {one.verified_transactions:,} transactions verified" if one.verified_transactions else ""
    return f"{part.letter}, round {number}: {figures}; {probes}: {verdict}{verified}"


def value_text(value: float) -> str:
    """A figure as people read it: three digits that count, at least."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _round(order: list[str], runs: Mapping[str, Run]) -> Round:
    figures: dict[str, Figure] = {}
    ledgers: list[str] = []
    probes = [fsyncs_a_second()]
    with ExitStack() as databases:
        for name in order:
            outcome = databases.enter_context(runs[name]())
            probes.append(fsyncs_a_second())
            if outcome.failed:
                raise RoundFailedError(f"{name}: {outcome.failed} requests failed")
            figures[name] = outcome.figure
            if outcome.ledger is not None:
                ledgers.append(outcome.ledger)
        try:
            verified = verify_all(ledgers)
        except NotVerifiedError as error:
            raise RoundFailedError(str(error)) from error
    return Round(order=order, probes=probes, figures=figures, verified_transactions=verified, kept=is_kept(probes))
