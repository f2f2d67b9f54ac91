"""`python -m bench --part PART`: print the plan, run the rounds, write the results, draw the table and the chart.

A part is named by its letter; several by `a,b`; `short` are those of the short table, `all` is everything, and `table`
runs nothing and draws the table and chart again. Missing a figure is no failure; requests that fail, and a ledger
that does not verify, are.
"""

import argparse
import math
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from bench import chart, results, table, wrk
from bench.part import Options, Part
from bench.parts import PARTS
from bench.results import RESULTS
from bench.rounds import RoundFailedError, run_part

CHART = Path(__file__).parents[1] / "docs" / "images" / "bench.svg"


def main() -> int:
    """Run the command line."""
    parser = _parser()
    arguments = parser.parse_args()
    try:
        parts = chosen(arguments.part)
    except KeyError as error:
        parser.error(f"there is no part {error}; there are {', '.join(PARTS)}, short, all and table")
    given = {field: value for field in Options.__struct_fields__ if (value := getattr(arguments, field)) is not None}
    if parts:
        print(plan(parts, given), flush=True)
        wrk.find_wrk()
    measured = [_run(part, options_of(part, given), arguments.into) for part in parts]
    _draw(arguments.into)
    return 0 if all(measured) else 1


def chosen(text: str) -> list[Part]:
    """Return the parts that the text names; raises KeyError with an unknown letter."""
    if text == "table":
        return []
    if text == "all":
        return list(PARTS.values())
    if text == "short":
        return [part.shortened() for part in PARTS.values() if part.short]
    return [PARTS[letter.strip()] for letter in text.split(",")]


def options_of(part: Part, given: dict[str, int]) -> Options:
    """Return a part's options: the given ones, else its own seconds and accounts."""
    return Options(**{"seconds": part.seconds, "accounts": part.accounts, **given})


def plan(parts: Sequence[Part], given: dict[str, int]) -> str:
    """Return what will be run and about how long it will take."""
    lines, total = [], 0.0
    for part in parts:
        options = options_of(part, given)
        minutes = part.minutes(options)
        total += minutes
        lines.append(
            f"  {part.letter}  {part.title}: {options.rounds} rounds of {len(part.contenders)} contenders,"
            f" {options.seconds} s each, {options.accounts:,} accounts: {_minutes(minutes)}"
        )
    more = options_of(parts[0], given).extra_rounds_max
    end = time.strftime("%H:%M", time.localtime(time.time() + total * 60))
    return "\n".join(
        [
            f"This takes {_minutes(total)}, until {end}; longer if the machine is disturbed (up to"
            f" {more} rounds more a part):",
            *lines,
        ]
    )


def _run(part: Part, options: Options, into: Path) -> bool:
    try:
        rounds = run_part(part, options)
    except RoundFailedError as error:
        print(f"{part.letter}: FAILED, nothing of it counts: {error}", file=sys.stderr)
        return False
    result = results.result_of(part, options, rounds)
    if not result.kept:
        print(f"{part.letter}: not measured, the machine was disturbed in all of {len(rounds)} rounds", file=sys.stderr)
        return False
    path = results.write(result, into)
    print(f"\n{part.letter}: {len(result.kept)} of {len(rounds)} rounds kept, written to {os.path.relpath(path)}\n")
    print("\n".join(table.body(result)), "\n", flush=True)
    return True


def _minutes(minutes: float) -> str:
    whole = math.ceil(minutes)
    return f"about {whole} minute{'' if whole == 1 else 's'}"


def _draw(into: Path) -> None:
    found = results.newest(list(PARTS), into)
    into.mkdir(parents=True, exist_ok=True)
    path = into / "table.md"
    path.write_text(table.document(found))
    # Results in another folder are not for the docs.
    drawn = CHART if into.resolve() == RESULTS.resolve() else into / CHART.name
    drawn.write_text(chart.drawn(found))
    letters = ", ".join(one.part for one in found) or "nothing"
    print(f"{os.path.relpath(path)} and {os.path.relpath(drawn)} show what was measured last of: {letters}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--part", default="short")
    parser.add_argument("--into", type=Path, default=RESULTS, help="the folder of what is written")
    for field in msgspec.structs.fields(Options):
        says = "each part's own" if field.name in ("seconds", "accounts") else str(field.default)
        flag = f"--{field.name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=None, metavar="N", help=f"default: {says}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
