"""What is accepted as e-mail and name."""

import pytest

from sixpence.auth.user import check_email, check_name
from sixpence.core.errors import InvalidInputError


@pytest.mark.parametrize(
    ("email", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Lovelace+Studio@Example.COM", "ada.lovelace+studio@example.com"),
        ("o'brien@mail.example.co.uk", "o'brien@mail.example.co.uk"),
        ("a@b-c.example", "a@b-c.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("x" * 242 + "@example.com", "x" * 242 + "@example.com"),
    ],
)
def test_an_email_is_kept_in_lower_case(email: str, stored: str) -> None:
    """Usual addresses are accepted, in lower case."""
    assert check_email(email) == stored


@pytest.mark.parametrize(
    "email",
    [
        "",
        "ada",
        "@example.com",
        "ada@",
        "ada@localhost",
        "ada@example",
        "ada@.com",
        "ada@-example.com",
        "ada@example.com.",
        "ada@example.c",
        "ada@example.123",
        "ada..b@example.com",
        ".ada@example.com",
        "ada.@example.com",
        "ada b@example.com",
        "ada@example.com\n",
        " ada@example.com",
        "ada@bob@example.com",
        '"ada"@example.com',
        "<ada@example.com>",
        "ad\0a@example.com",
        "ada\ud800@example.com",
        "ädä@example.com",
        "\u212ada@example.com",
        "x" * 243 + "@example.com",
    ],
)
def test_what_is_no_email_is_refused(email: str) -> None:
    """Anything else is refused by the field's name."""
    with pytest.raises(InvalidInputError) as raised:
        check_email(email)

    assert raised.value == InvalidInputError("email", "Invalid email address. Send one like ada@example.com.")


@pytest.mark.parametrize("name", ["A", "Ada Lovelace", "李", "می‌خواهم", "👩‍🚀", "x" * 200])
def test_a_name_may_be_of_any_script(name: str) -> None:
    """Names of every script, joiners included, are kept as they are."""
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "Ada\n", "A\0da", "\ud800", "\x7f"])
def test_what_is_no_name_is_refused(name: str) -> None:
    """Empty, blank, too long, control characters and half characters are refused by the field's name."""
    with pytest.raises(InvalidInputError) as raised:
        check_name(name)

    expected = InvalidInputError("name", "Invalid name. Send 1 to 200 characters, no control characters.")
    assert raised.value == expected


@pytest.mark.parametrize("letter", ["\u2028", "\u2029"])
def test_a_line_end_of_unicode_is_no_part_of_a_name(letter: str) -> None:
    """What an account's ledger would refuse as the name of who acted is refused where it is given."""
    with pytest.raises(InvalidInputError):
        check_name(f"one{letter}two")
