"""Merging what batches touched."""

from sixpence.ledger.reads.usage import Span
from sixpence.ledger.relay.ranges import Touched


def test_rows_in_a_row_are_one_span() -> None:
    """What follows upon the last row of an account lengthens its span, whatever other accounts did in between."""
    touched = Touched()

    for account_id, first, last in [("a", 1, 1), ("b", 7, 9), ("a", 2, 5), ("b", 10, 10), ("a", 6, 6)]:
        touched.add(account_id, first, last)

    assert touched.spans({"a": 20, "b": 10}) == [Span(10, 7, 10), Span(20, 1, 6)]
    assert (touched.rows, touched.account_ids) == (10, ["a", "b"])


def test_rows_with_a_gap_are_two_spans() -> None:
    """Rows that nobody named are not read, in whichever order the others come."""
    touched = Touched()

    for first, last in [(4, 5), (7, 8), (1, 3)]:
        touched.add("a", first, last)

    assert touched.spans({"a": 1}) == [Span(1, 4, 5), Span(1, 7, 8), Span(1, 1, 3)]
    assert touched.rows == 7


def test_an_account_without_a_number_has_no_span() -> None:
    """An account that is not there any more is left out."""
    touched = Touched()

    touched.add("gone", 1, 3)
    touched.add("a", 1, 1)

    assert touched.spans({"a": 5}) == [Span(5, 1, 1)]
