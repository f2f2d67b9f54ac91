"""Merging the ranges that batches wrote."""

from sixpence.ledger.reads.usage import SeqRange
from sixpence.ledger.relay.ranges import SeqRanges


def test_consecutive_rows_are_one_range() -> None:
    """A range that follows on the account's last one extends it, also with other accounts in between."""
    ranges = SeqRanges()

    for account_id, first, last in [("a", 1, 1), ("b", 7, 9), ("a", 2, 5), ("b", 10, 10), ("a", 6, 6)]:
        ranges.add(account_id, first, last)

    assert ranges.to_seq_ranges({"a": 20, "b": 10}) == [SeqRange(10, 7, 10), SeqRange(20, 1, 6)]
    assert (ranges.rows, ranges.account_ids) == (10, ["a", "b"])


def test_rows_with_a_gap_are_two_ranges() -> None:
    """Rows of a gap are not read, in any order of the ranges."""
    ranges = SeqRanges()

    for first, last in [(4, 5), (7, 8), (1, 3)]:
        ranges.add("a", first, last)

    assert ranges.to_seq_ranges({"a": 1}) == [SeqRange(1, 4, 5), SeqRange(1, 7, 8), SeqRange(1, 1, 3)]
    assert ranges.rows == 7


def test_account_without_a_number_has_no_range() -> None:
    """A removed account is left out."""
    ranges = SeqRanges()

    ranges.add("gone", 1, 3)
    ranges.add("a", 1, 1)

    assert ranges.to_seq_ranges({"a": 5}) == [SeqRange(5, 1, 1)]
