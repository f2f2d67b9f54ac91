"""Tokens: random, stored as a digest, signed as Better Auth signs."""

import hashlib

import pytest

from sixpence.auth import tokens

SECRET = "a-secret-of-at-least-thirty-two-characters"
# Written by Better Auth 1.7.25 with that secret.
TOKEN = "r7iRAibfRQ1UjvQXE3ZZdDf2WaxThrc7"
COOKIE = "r7iRAibfRQ1UjvQXE3ZZdDf2WaxThrc7.L9b6q6iOpS8onUpWMnjr1mHDADjtUdrpmru%2FIcdK8d8%3D"


def test_sign_equals_better_auth() -> None:
    """A signed token equals Better Auth's cookie byte for byte."""
    signed = tokens.sign(SECRET, TOKEN)

    assert signed == COOKIE


def test_find_signed_reads_better_auth_cookie() -> None:
    """Better Auth's cookie gives its token."""
    found = tokens.find_signed(SECRET, COOKIE)

    assert found == TOKEN


def test_sign_escapes_like_encode_uri_component() -> None:
    """The same characters are escaped as by encodeURIComponent."""
    signed = tokens.sign(SECRET, "-_.!~*'() +é")

    assert signed.rpartition(".")[0] == "-_.!~*'()%20%2B%C3%A9"


def test_plus_in_signature_is_read() -> None:
    """A signature with a + is read, escaped or not."""
    value = next(f"v{number}" for number in range(1000) if "%2B" in tokens.sign(SECRET, f"v{number}"))
    signed = tokens.sign(SECRET, value)

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
        tokens.sign("another-secret-of-thirty-two-characters!", TOKEN),
    ],
)
def test_find_signed_refuses_forged_cookies(text: str) -> None:
    """A value that was changed, cut, or signed with another secret gives None."""
    found = tokens.find_signed(SECRET, text)

    assert found is None


def test_random_tokens_are_letters_and_digits() -> None:
    """Random tokens have the requested length, only letters and digits, and differ."""
    words = {tokens.random_token(32) for _ in range(100)}

    assert len(words) == 100
    assert {len(word) for word in words} == {32}
    assert all(word.isascii() and word.isalnum() for word in words)


def test_digest_is_sha_256() -> None:
    """The stored digest of a token is its SHA-256."""
    stored = tokens.digest(TOKEN)

    assert stored == hashlib.sha256(TOKEN.encode()).digest()
