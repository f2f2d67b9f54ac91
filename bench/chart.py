"""The chart of the ratios and their targets: an SVG of horizontal bars, readable in light and in dark.

A bar is a ratio divided by its own "at least", so one line marks all targets; where less is better, the inverse. Right
is always better. The figures beside the bars are the ratios as measured.
"""

from collections.abc import Sequence
from html import escape

from bench.results import Reached, Result

WIDTH, ROW, BAR = 1_160, 26, 12
LEFT, RIGHT, TOP, BOTTOM = 605, 905, 64, 40
# A bar beyond this multiple of its "at least" is cut off, with an arrow.
SCALE_MAX = 2.5
_STYLE = """
    text { font: 13px system-ui, sans-serif; fill: #1f2328 }
    .title { font-size: 16px; font-weight: 600 }
    .part { font-weight: 600 }
    .note { font-size: 12px; fill: #59636e }
    .met { fill: #1a7f64 } .missed { fill: #bc6c00 }
    .least { stroke: #1f2328; stroke-width: 1.5 }
    .aim { stroke: #1f2328; stroke-width: 2 }
    .spread { stroke: #1f2328; stroke-width: 1 }
    .grid { stroke: #d1d9e0; stroke-width: 1 }
    @media (prefers-color-scheme: dark) {
        text { fill: #e6edf3 } .note { fill: #9198a1 }
        .met { fill: #3fb592 } .missed { fill: #e0a030 }
        .least, .aim, .spread { stroke: #e6edf3 } .grid { stroke: #3d444d }
    }
"""


def drawn(results: Sequence[Result]) -> str:
    """The chart of every ratio that has something to reach and was measured."""
    body: list[str] = []
    y = TOP
    for result in results:
        ratios = [one for one in result.ratios if one.at_least is not None and one.values]
        if not ratios:
            continue
        body.append(_text(16, y + 17, result.title, "part"))
        y += ROW
        for one in ratios:
            body += _row(one, y)
            y += ROW
    height = y + BOTTOM
    return "\n".join([_head(height), *_frame(y), *body, "</svg>"]) + "\n"


def _head(height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img"'
        f' aria-labelledby="title"><style>{_STYLE}</style>'
        '<title id="title">Ratios measured by make bench, beside what they should reach</title>'
    )


def _frame(bottom: float) -> list[str]:
    """What surrounds the rows: a line at "at least", fainter ones at the halves, and the words."""
    halves = [step / 2 for step in range(int(SCALE_MAX * 2) + 1)]
    lines = [_vertical(_x(half), TOP, bottom, "least" if half == 1 else "grid") for half in halves]
    return [
        _text(16, 26, "Ratios within one run, beside what they should reach", "title"),
        *lines,
        _text(_x(1), TOP - 8, "at least", "note", anchor="middle"),
        _text(RIGHT + 16, TOP - 8, "median (least to most)", "note"),
        _text(
            16,
            bottom + 26,
            "Bars: the median by what it is to be at least (of a time: what it may be at most by the median)."
            " Thin line: least to most. Short mark: the aim.",
            "note",
        ),
    ]


def _row(one: Reached, y: float) -> list[str]:
    found, middle = one.spread, y + ROW / 2
    assert found is not None
    met = one.verdict in ("reached", "aim reached")
    median, ends = _share(one, found.median), sorted(_share(one, value) for value in (found.least, found.most))
    parts = [
        _text(28, middle + 4, one.name, ""),
        f'<rect class="{"met" if met else "missed"}" x="{LEFT}" y="{middle - BAR / 2:g}"'
        f' width="{_x(median) - LEFT:.1f}" height="{BAR}"/>',
        f'<line class="spread" x1="{_x(ends[0]):.1f}" y1="{middle:g}" x2="{_x(ends[1]):.1f}" y2="{middle:g}"/>',
    ]
    if one.aim is not None:
        parts.append(_vertical(_x(_share(one, one.aim)), middle - 10, middle + 10, "aim"))
    if median > SCALE_MAX:
        parts.append(_text(RIGHT + 2, middle + 4, "▸", ""))
    parts.append(_text(RIGHT + 16, middle + 4, f"{found.median:.2f} ({found.least:.2f} to {found.most:.2f})", ""))
    return parts


def _share(one: Reached, value: float) -> float:
    """The value by its "at least"; above 1 is better."""
    assert one.at_least is not None
    return one.at_least / value if one.less_is_better else value / one.at_least


def _x(share: float) -> float:
    return LEFT + min(share, SCALE_MAX) / SCALE_MAX * (RIGHT - LEFT)


def _vertical(x: float, top: float, bottom: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{top:g}" x2="{x:.1f}" y2="{bottom:g}"/>'


def _text(x: float, y: float, text: str, kind: str, *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'
