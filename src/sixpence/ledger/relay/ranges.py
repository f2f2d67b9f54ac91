"""Merging what batches touched: many uses of an account become one span of its ledger. Pure arithmetic."""

from collections.abc import Mapping

from sixpence.ledger.reads.usage import Span


class Touched:
    """The rows of the ledger that a bite of the outbox names, each once."""

    def __init__(self) -> None:
        self.rows = 0
        self._spans: dict[str, list[list[int]]] = {}

    @property
    def account_ids(self) -> list[str]:
        """Whose they are."""
        return list(self._spans)

    def add(self, account_id: str, first: int, last: int) -> None:
        """Note the rows from `first` to `last` of an account; each row is named by the one batch that wrote it."""
        spans = self._spans.setdefault(account_id, [])
        if spans and first == spans[-1][1] + 1:
            spans[-1][1] = last
        else:
            spans.append([first, last])
        self.rows += last - first + 1

    def spans(self, numbers: Mapping[str, int]) -> list[Span]:
        """The spans of the accounts that have a number, in the order of the table."""
        numbered = ((numbers[name], spans) for name, spans in self._spans.items() if name in numbers)
        return [Span(number, first, last) for number, spans in sorted(numbered) for first, last in spans]
