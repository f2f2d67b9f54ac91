"""A statement as text for people: a line for each movement, in columns, 80 wide unless the figures are very large.

In pieces, so that a statement of any length is written in little memory. Amounts are in the smallest unit, times UTC.
"""

from collections.abc import Iterable, Iterator

from sixpence.core.reports.labels import day_and_time, of_kind
from sixpence.core.reports.statement import Figures, Period, StatementMovement

_WIDTH = 80
_TIME_WIDTH = 19
_AMOUNT_WIDTH_MIN = 10


class StatementText:
    """Writes the text of the statement of a period: its head, its movements as they are read, its foot."""

    def __init__(self, period: Period) -> None:
        self._period = period
        largest = max(abs(number) for end in (period.opening, period.closing) for number in (end.remaining, end.total))
        self._amount_width = max(_AMOUNT_WIDTH_MIN, len(str(largest)) + 1)
        self._words_width = max(12, _WIDTH - _TIME_WIDTH - 2 * self._amount_width - 3)

    def head(self) -> str:
        """Whose statement it is and of when, the names of the columns, and what there was at the beginning."""
        period = self._period
        lines = [
            f"Statement of {period.account_id}",
            f"from {day_and_time(period.since)} up to {day_and_time(period.until)} UTC",
            "",
            self._line("time (UTC)", "what", "amount", "balance"),
            "-" * (_TIME_WIDTH + self._words_width + 2 * self._amount_width + 3),
            self._figures(period.since, "opening balance", period.opening),
        ]
        return _joined(lines)

    def lines(self, movements: Iterable[StatementMovement]) -> str:
        """The lines of some movements."""
        return _joined(line for movement in movements for line in self._movement(movement))

    def foot(self) -> str:
        """What there was at the end, and how it came about."""
        period = self._period
        opening, closing = period.opening, period.closing
        change = closing.remaining - opening.remaining
        lines = [
            self._figures(period.until, "closing balance", closing),
            "",
            f"{opening.remaining} {_signed(change)} = {closing.remaining} credits, in {_movements(period.count)}.",
        ]
        if closing.held:
            lines.append(f"Set aside for running work beside that: {closing.held}.")
        return _joined(lines)

    def _movement(self, movement: StatementMovement) -> Iterator[str]:
        words = of_kind(movement.kind, feature=movement.feature_used, plan=movement.plan)
        if movement.reason:
            words = f"{words}: {movement.reason}"
        first, *others = _folded(words, self._words_width)
        time = day_and_time(movement.created_at)
        yield self._line(time, first, f"{movement.amount:+}", str(movement.balance_after))
        for other in others:
            yield self._line("", other, "", "")

    def _figures(self, instant: int, words: str, figures: Figures) -> str:
        return self._line(day_and_time(instant), words, "", str(figures.remaining))

    def _line(self, time: str, words: str, amount: str, balance: str) -> str:
        width = self._amount_width
        return f"{time:<{_TIME_WIDTH}} {words:<{self._words_width}} {amount:>{width}} {balance:>{width}}".rstrip()


def _folded(words: str, width: int) -> list[str]:
    """The words in lines of at most that width; a word that is longer is cut."""
    lines, line = [], ""
    for word in words.split():
        while len(word) > width:
            if line:
                lines.append(line)
                line = ""
            lines.append(word[:width])
            word = word[width:]
        if len(line) + bool(line) + len(word) > width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, line] if line or not lines else lines


def _signed(change: int) -> str:
    return f"- {-change}" if change < 0 else f"+ {change}"


def _movements(count: int) -> str:
    return "1 movement" if count == 1 else f"{count} movements"


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
