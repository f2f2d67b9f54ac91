"""Merging the ranges that batches wrote: many uses of an account become one range of its ledger. Pure arithmetic."""

from collections.abc import Mapping

from sixpence.ledger.reads.usage import SeqRange


class SeqRanges:
    """The rows of the ledger that rows of the outbox name, as ranges by account; `rows` counts them."""

    def __init__(self) -> None:
        self.rows = 0
        self._ranges: dict[str, list[list[int]]] = {}

    @property
    def account_ids(self) -> list[str]:
        """The accounts that have a range."""
        return list(self._ranges)

    def add(self, account_id: str, first: int, last: int) -> None:
        """Add the rows from `first` to `last` of an account; only the batch that wrote a row names it."""
        ranges = self._ranges.setdefault(account_id, [])
        if ranges and first == ranges[-1][1] + 1:
            ranges[-1][1] = last
        else:
            ranges.append([first, last])
        self.rows += last - first + 1

    def to_seq_ranges(self, numbers: Mapping[str, int]) -> list[SeqRange]:
        """The ranges by account number, sorted; accounts without a number are left out."""
        numbered = ((numbers[name], ranges) for name, ranges in self._ranges.items() if name in numbers)
        return [SeqRange(number, first, last) for number, ranges in sorted(numbered) for first, last in ranges]
