"""A statement as CSV (RFC 4180): a header, a row `opening`, a row for each movement, a row `closing`.

It is written in pieces, so that a statement of any length needs little memory. A spreadsheet runs a cell that begins
like a formula: where a cell holds a text from a person, an apostrophe is put before such a text.
"""

from collections.abc import Iterable

from sixpence.core.reports.statement import Figures, Period, StatementMovement
from sixpence.core.values.instant import to_wire

COLUMNS = (
    "seq",
    "time",
    "kind",
    "amount",
    "balance",
    "held",
    "total",
    "plan",
    "feature",
    "credits_consumed",
    "generation_id",
    "reason",
    "actor",
    "about",
    "transaction_id",
)

# The wide forms, too: spreadsheets of East Asian languages read them alike.
_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NEEDS_QUOTES = frozenset('",\r\n')


class StatementCSV:
    """Writes the CSV of the statement of a period: its head, its movements as they are read, its foot."""

    def __init__(self, period: Period) -> None:
        self._period = period

    def head(self) -> str:
        """Return the header and the opening balance; its `time` is the period's begin."""
        return _row(COLUMNS) + _figures(self._period.since, "opening", self._period.opening)

    def lines(self, movements: Iterable[StatementMovement]) -> str:
        """Return the rows of some movements."""
        return "".join(map(_movement, movements))

    def foot(self) -> str:
        """Return the closing balance; its `time` is the period's end."""
        return _figures(self._period.until, "closing", self._period.closing)


def _movement(movement: StatementMovement) -> str:
    return _row(
        (
            str(movement.seq),
            to_wire(movement.created_at),
            movement.kind,
            str(movement.amount),
            str(movement.balance_after),
            str(movement.held_after),
            str(movement.total_after),
            _text(movement.plan),
            _text(movement.feature_used),
            "" if movement.credits_consumed is None else str(movement.credits_consumed),
            _text(movement.generation_id),
            _text(movement.reason),
            _text(movement.actor),
            _text(movement.about),
            movement.id,
        )
    )


def _figures(instant: int, kind: str, figures: Figures) -> str:
    numbers = (figures.remaining, figures.held, figures.total)
    cells = (str(figures.version), to_wire(instant), kind, "", *map(str, numbers), _text(figures.plan))
    return _row((*cells, *[""] * (len(COLUMNS) - len(cells))))


def _text(value: str | None) -> str:
    """Return a text from a person, in a form that no spreadsheet runs as a formula."""
    if value is None:
        return ""
    return f"'{value}" if value.startswith(_BEGINS_FORMULA) else value


def _row(cells: Iterable[str]) -> str:
    return ",".join(map(_quoted, cells)) + "\r\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if not _NEEDS_QUOTES.isdisjoint(cell) else cell
