"""A statement as text for people: a line for each movement, in columns, 80 wide unless the figures are very large.

It is written in pieces, so that a statement of any length needs little memory. Amounts are in the smallest unit, times
in UTC. Not here: the label of each kind of transaction (`labels`).
"""

from collections.abc import Iterable, Iterator

from sixpence.core.reports.labels import format_change, format_instant, kind_label
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
        self._label_width = max(12, _WIDTH - _TIME_WIDTH - 2 * self._amount_width - 3)

    def head(self) -> str:
        """Return the account and the period, the names of the columns, and the opening balance."""
        period = self._period
        lines = [
            f"Statement of {period.account_id}",
            f"from {format_instant(period.since)} up to {format_instant(period.until)} UTC",
            "",
            self._line("time (UTC)", "what", "amount", "balance"),
            "-" * (_TIME_WIDTH + self._label_width + 2 * self._amount_width + 3),
            self._balance(period.since, "opening balance", period.opening),
        ]
        return _join_lines(lines)

    def lines(self, movements: Iterable[StatementMovement]) -> str:
        """Return the lines of some movements."""
        return _join_lines(line for movement in movements for line in self._movement(movement))

    def foot(self) -> str:
        """Return the closing balance, and the sum that leads to it."""
        period = self._period
        opening, closing = period.opening, period.closing
        change = closing.remaining - opening.remaining
        lines = [
            self._balance(period.until, "closing balance", closing),
            "",
            f"{opening.remaining} {_signed(change)} = {closing.remaining} credits, in {_movements(period.count)}.",
        ]
        if closing.held:
            lines.append(f"Also set aside for running work: {closing.held}.")
        return _join_lines(lines)

    def _movement(self, movement: StatementMovement) -> Iterator[str]:
        words = kind_label(
            movement.kind,
            feature=movement.feature_used,
            plan=movement.plan,
            amount=movement.amount,
            credits_consumed=movement.credits_consumed,
        )
        if movement.reason:
            words = f"{words}: {movement.reason}"
        first, *others = _wrap(words, self._label_width)
        time = format_instant(movement.created_at)
        yield self._line(time, first, format_change(movement.amount), str(movement.balance_after))
        for other in others:
            yield self._line("", other, "", "")

    def _balance(self, instant: int, words: str, figures: Figures) -> str:
        return self._line(format_instant(instant), words, "", str(figures.remaining))

    def _line(self, time: str, words: str, amount: str, balance: str) -> str:
        width = self._amount_width
        return f"{time:<{_TIME_WIDTH}} {words:<{self._label_width}} {amount:>{width}} {balance:>{width}}".rstrip()


def _wrap(words: str, width: int) -> list[str]:
    """Return the words in lines of at most that width; a longer word is cut."""
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


def _join_lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
