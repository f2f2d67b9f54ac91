"""Bounds: which amounts, names and texts are accepted, and how the others are refused."""

from typing import Any

import pytest

from sixpence.core.errors import InvalidInputError
from sixpence.core.values.bounds import account_no, check_account_id, check_amount, check_text


@pytest.mark.parametrize("value", [1, 6, 2**53 - 1])
def test_check_amount_accepts_the_range(value: int) -> None:
    """From 1 to 2^53 - 1."""
    assert check_amount("amount", value) == value


def test_check_amount_accepts_another_least_amount() -> None:
    """Where 0 is valid, it is accepted; anything below is refused."""
    assert check_amount("rank", 0, least=0) == 0
    with pytest.raises(
        InvalidInputError, match=r"^rank: -1 is out of range. Send an integer from 0 to 9007199254740991"
    ):
        check_amount("rank", -1, least=0)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (0, "0 is out of range. Send an integer from 1 to 9007199254740991."),
        (-1, "-1 is out of range. Send an integer from 1 to 9007199254740991."),
        (2**53, "9007199254740992 is out of range. Send an integer from 1 to 9007199254740991."),
        (10**5000, "a number of thousands of digits is out of range. Send an integer from 1 to 9007199254740991."),
        (True, "True is not a whole number. Send an integer of the smallest unit."),
        (1.0, "1.0 is not a whole number. Send an integer of the smallest unit."),
        (float("nan"), "nan is not a whole number. Send an integer of the smallest unit."),
        ("1", "'1' is not a whole number. Send an integer of the smallest unit."),
        (None, "None is not a whole number. Send an integer of the smallest unit."),
        (["x" * 99], "['" + "x" * 55 + "... is not a whole number. Send an integer of the smallest unit."),
    ],
    ids=["zero", "negative", "over", "digits", "true", "float", "nan", "text", "none", "list"],
)
def test_check_amount_refuses_other_values(value: Any, problem: str) -> None:
    """Nothing is rounded, and nothing else is taken for a number."""
    with pytest.raises(InvalidInputError) as caught:
        check_amount("amount", value)

    assert caught.value == InvalidInputError("amount", problem)


@pytest.mark.parametrize("value", ["a", "ada@example.com", "zoë", "用户 7", "a" * 255, "org/42?x=%20", "🏡", " "])
def test_check_account_id_accepts_printable_text(value: str) -> None:
    """Any printable text of 1 to 255 characters can be an account's id."""
    assert check_account_id(value) == value


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "is empty. Send 1 to 255 characters."),
        ("a" * 256, "has 256 characters. Send at most 255."),
        (7, "7 is not text. Send a string."),
        (None, "None is not text. Send a string."),
        ("a\nb", r"'a\nb' has a control character or a lone surrogate. Remove it."),
        ("a\x00", r"'a\x00' has a control character or a lone surrogate. Remove it."),
        ("\x7f", r"'\x7f' has a control character or a lone surrogate. Remove it."),
        ("\x85", r"'\x85' has a control character or a lone surrogate. Remove it."),
        ("\u2028", r"'\u2028' has a control character or a lone surrogate. Remove it."),
        ("\ud800", r"'\ud800' has a control character or a lone surrogate. Remove it."),
    ],
)
def test_check_account_id_refuses_other_values(value: Any, problem: str) -> None:
    """Empty, too long, not text, or not printable: the message says what to send."""
    with pytest.raises(InvalidInputError) as caught:
        check_account_id(value)

    assert caught.value == InvalidInputError("account_id", problem)


def test_check_text_names_the_field_and_its_bound() -> None:
    """The bound is the caller's, the field is named."""
    assert check_text("reason", "a" * 1_000, length_max=1_000) == "a" * 1_000
    with pytest.raises(InvalidInputError, match=r"^label: has 6 characters. Send at most 5\.$"):
        check_text("label", "abcdef", length_max=5)


def test_account_no_fits_a_signed_column() -> None:
    """63 bits, also after collisions, and each attempt is another number."""
    numbers = {account_no(f"user-{each}", attempt) for each in range(100) for attempt in range(5)}

    assert len(numbers) == 500
    assert all(0 <= number < 2**63 for number in numbers)
