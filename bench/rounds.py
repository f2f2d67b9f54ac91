"""Rounds: each runs every contender once, in an order that rotates, with a probe of the disk between all runs.

A round whose last probe moved too much from its first, or in which the disk stalled, is thrown away; another is run in
its place, up to a limit. After each round every ledger of ours in it is verified. A request that
fails ends everything, unless the machine was disturbed while it was under way: a disk that stops is answered with 503.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack

import msgspec

from bench.part import Figure, Options, Part, Ratio, Run
from bench.probe import fsyncs_a_second, moved_percent
from bench.verify_ledgers import NotVerifiedError, verify_all

# Probes vary by a third on an idle machine; below this share of the first probe the disk stalled.
STALLED = 0.5


class Round(msgspec.Struct, kw_only=True):
    """One round: its contenders in the order they ran, a probe (fsyncs a second) before the first and after each."""

    order: list[str]
    probes: list[float]
    figures: dict[str, Figure]
    failed: dict[str, int] = {}
    verified_transactions: int = 0
    kept: bool = True


class RoundFailedError(Exception):
    """Requests failed, or a ledger does not verify: the measurement is invalid."""


def run_part(part: Part, options: Options) -> list[Round]:
    """Run the part's rounds until enough are kept, or the limit is reached; return all of them."""
    rounds: list[Round] = []
    with part.opened(options) as runs:
        if missing := set(part.contenders) - set(runs):
            raise RuntimeError(f"part {part.letter} names contenders that it does not run: {missing}")
        while sum(one.kept for one in rounds) < options.rounds and len(rounds) < most(options):
            rounds.append(_round(rotated(part.contenders, len(rounds)), runs, options.moved_percent_max))
            print(round_line(part, rounds[-1], len(rounds)), flush=True)
    return rounds


def most(options: Options) -> int:
    """How many rounds are run at most, disturbed ones included."""
    return options.rounds + options.extra_rounds_max


def rotated(contenders: Sequence[str], number: int) -> list[str]:
    """The order of a round: each begins with another contender."""
    first = number % len(contenders)
    return [*contenders[first:], *contenders[:first]]


def is_disturbed(probes: Sequence[float], percent_max: float, *, ended: bool) -> bool:
    """Whether the disk stalled, or was much faster or slower at the round's end than at its beginning."""
    stalled = probes[-1] < STALLED * probes[0]
    return stalled or (ended and moved_percent(probes[0], probes[-1]) > percent_max)


def ratios_of(rounds: Sequence[Round], ratio: Ratio) -> list[float]:
    """The ratio within each round that was kept."""
    found = [ratio.in_round(one.figures) for one in rounds if one.kept]
    return [value for value in found if value is not None]


def round_line(part: Part, one: Round, number: int) -> str:
    """Return a line about the round for the terminal."""
    figures = ", ".join(f"{name} {value_text(one.figures[name].value)}" for name in one.order if name in one.figures)
    probes = f"disk {min(one.probes):,.0f} to {max(one.probes):,.0f}"
    verdict = "kept" if one.kept else f"thrown away, disturbed in run {len(one.figures)} of {len(one.order)}"
    failed = "".join(f", {name}: {count} requests failed" for name, count in one.failed.items())
    verified = f", {one.verified_transactions:,} transactions verified" if one.verified_transactions else ""
    return f"{part.letter}, round {number} ({verdict}): {figures}; {probes}{failed}{verified}"


def value_text(value: float) -> str:
    """Return a figure with at least three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _round(order: list[str], runs: Mapping[str, Run], percent_max: float) -> Round:
    figures: dict[str, Figure] = {}
    failed: dict[str, int] = {}
    ledgers: list[str] = []
    probes = [fsyncs_a_second()]
    kept = True
    with ExitStack() as databases:
        for name in order:
            outcome = databases.enter_context(runs[name]())
            probes.append(fsyncs_a_second())
            figures[name] = outcome.figure
            if outcome.ledger is not None:
                ledgers.append(outcome.ledger)
            ended = len(figures) == len(order)
            kept = not (outcome.dropped or is_disturbed(probes, percent_max, ended=ended))
            if outcome.failed:
                failed[name] = outcome.failed
                if kept:
                    raise RoundFailedError(f"{name}: {outcome.failed} requests failed")
            if not kept:
                break
        try:
            verified = verify_all(ledgers)
        except NotVerifiedError as error:
            raise RoundFailedError(str(error)) from error
    return Round(order=order, probes=probes, figures=figures, failed=failed, verified_transactions=verified, kept=kept)
