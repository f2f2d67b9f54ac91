"""Results as Markdown: for each part the ratios with their targets, then every contender's figures."""

from collections.abc import Sequence

from bench.part import spread
from bench.results import Reached, Result
from bench.rounds import value_text

_REACHED = ("ratio", "median (least to most)", "at least", "aim", "")
_FIGURES = ("contender", "median (least to most)", "p50, p99 in ms", "more")


def document(results: Sequence[Result]) -> str:
    """The whole table; parts may have been run on different days, and each says when."""
    lines = ["Medians of the rounds that were kept, with the least and the most. Ratios are of figures in one round."]
    for result in results:
        lines += ["", f"### {result.part}: {result.title}", "", _origin(result), "", *body(result)]
    return "\n".join(lines) + "\n"


def body(result: Result) -> list[str]:
    """A part's ratios, where it has any, and its figures."""
    reached = [*reached_table(result.ratios), ""] if result.ratios else []
    return [*reached, *figures_table(result)]


def reached_table(ratios: Sequence[Reached]) -> list[str]:
    """The ratios beside their targets."""
    rows = []
    for one in ratios:
        found = one.spread
        value = "-" if found is None else f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})"
        rows.append((one.name, value, _bound(one, one.at_least), _bound(one, one.aim), one.verdict))
    return _table(_REACHED, rows)


def figures_table(result: Result) -> list[str]:
    """The figures of each contender."""
    rows = []
    for name in result.contenders:
        figures = result.figures(name)
        if not figures:
            rows.append((name, "-", "-", ""))
            continue
        found = spread([figure.value for figure in figures])
        value = f"{value_text(found.median)} ({value_text(found.least)} to {value_text(found.most)})"
        times = [_median([getattr(figure, field) for figure in figures]) for field in ("p50_ms", "p99_ms")]
        more = [
            f"{fact} {_median([figure.facts.get(fact) for figure in figures])}"
            for fact in dict.fromkeys(fact for figure in figures for fact in figure.facts)
        ]
        rows.append((name, value, ", ".join(times) if times != ["-", "-"] else "-", ", ".join(more)))
    return _table((_FIGURES[0], f"{result.unit}, {_FIGURES[1]}", *_FIGURES[2:]), rows)


def _origin(result: Result) -> str:
    machine, kept = result.machine, len(result.kept)
    return (
        f"{result.date}, {machine.cores} cores ({machine.cpu}), Python {machine.python}, PostgreSQL"
        f" {machine.postgresql}, SQLite {machine.sqlite}; {kept} of {len(result.rounds)} rounds kept,"
        f" {result.options.seconds} s a run, {result.options.accounts:,} accounts."
    )


def _bound(one: Reached, value: float | None) -> str:
    if value is None:
        return "-"
    return f"at most {value:g}" if one.less_is_better else f"{value:g}"


def _median(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    return value_text(spread(there).median) if there else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [_line(head), _line(["---"] * len(head)), *map(_line, rows)]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
