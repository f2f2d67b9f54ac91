"""Tokens: random, digested, signed as Better Auth signs."""

import hashlib

import pytest

from sixpence.auth import tokens

SECRET = "a-secret-of-at-least-thirty-two-characters"
# Written by Better Auth 1.7.25 under that secret.
TOKEN = "r7iRAibfRQ1UjvQXE3ZZdDf2WaxThrc7"
COOKIE = "r7iRAibfRQ1UjvQXE3ZZdDf2WaxThrc7.L9b6q6iOpS8onUpWMnjr1mHDADjtUdrpmru%2FIcdK8d8%3D"


def test_a_signed_token_is_better_auths() -> None:
    """A token under a secret is signed byte for byte as Better Auth signed it."""
    signed = tokens.signed(SECRET, TOKEN)

    assert signed == COOKIE


def test_better_auths_cookie_is_read() -> None:
    """The cookie that Better Auth wrote gives its token."""
    found = tokens.find_signed(SECRET, COOKIE)

    assert found == TOKEN


def test_what_needs_no_escape_has_none() -> None:
    """The characters that encodeURIComponent leaves alone stay, and others are escaped as it does."""
    signed = tokens.signed(SECRET, "-_.!~*'() +é")

    assert signed.rpartition(".")[0] == "-_.!~*'()%20%2B%C3%A9"


def test_a_plus_in_the_signature_survives() -> None:
    """A signature with a + is read back, escaped or not."""
    value = next(f"v{number}" for number in range(1000) if "%2B" in tokens.signed(SECRET, f"v{number}"))
    signed = tokens.signed(SECRET, value)

    found = [tokens.find_signed(SECRET, text) for text in (signed, signed.replace("%2B", "+"))]

    assert found == [value, value]


@pytest.mark.parametrize(
    "text",
    [
        COOKIE.replace("r7", "R7"),
        COOKIE.replace("L9b6", "L9b7"),
        COOKIE[:-3],
        COOKIE.replace("%3D", "%3D%3D"),
        TOKEN,
        f"{TOKEN}.",
        ".",
        "",
        "." + COOKIE.partition(".")[2],
        f"{TOKEN}.ü",
        f"{TOKEN}.%FF%FE",
        "%00.%00",
        tokens.signed("another-secret-of-thirty-two-characters!", TOKEN),
    ],
)
def test_a_forged_cookie_is_no_token(text: str) -> None:
    """A value that was changed, cut, or signed with another secret gives nothing."""
    found = tokens.find_signed(SECRET, text)

    assert found is None


def test_random_words_are_letters_and_digits() -> None:
    """Random words have the length asked for, letters and digits only, and differ."""
    words = {tokens.random_word(32) for _ in range(100)}

    assert len(words) == 100
    assert {len(word) for word in words} == {32}
    assert all(word.isascii() and word.isalnum() for word in words)


def test_a_digest_is_sha_256() -> None:
    """What is stored of a token is its SHA-256."""
    stored = tokens.digest(TOKEN)

    assert stored == hashlib.sha256(TOKEN.encode()).digest()
