"""The rules for e-mails and names."""

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
def test_check_email_gives_lower_case(email: str, stored: str) -> None:
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
def test_check_email_refuses_invalid_emails(email: str) -> None:
    """Any other text is refused with the field's name."""
    with pytest.raises(InvalidInputError) as raised:
        check_email(email)

    assert raised.value == InvalidInputError("email", "Invalid email address. Send one like ada@example.com.")


@pytest.mark.parametrize("name", ["A", "Ada Lovelace", "李", "می‌خواهم", "👩‍🚀", "x" * 200])
def test_check_name_accepts_any_script(name: str) -> None:
    """Names of every script, including joiners, are accepted unchanged."""
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "Ada\n", "A\0da", "\ud800", "\x7f"])
def test_check_name_refuses_invalid_names(name: str) -> None:
    """Empty, blank and long names, control characters and lone surrogates are refused with the field's name."""
    with pytest.raises(InvalidInputError) as raised:
        check_name(name)

    expected = InvalidInputError("name", "Invalid name. Send 1 to 200 characters, no control characters.")
    assert raised.value == expected


@pytest.mark.parametrize("letter", ["\u2028", "\u2029"])
def test_check_name_refuses_unicode_line_ends(letter: str) -> None:
    """The ledger refuses these in an actor, so a name must not have them."""
    with pytest.raises(InvalidInputError):
        check_name(f"one{letter}two")
