"""Passwords: their rules, their hashing, and its limits."""

import asyncio

import pytest

from sixpence.auth.errors import PasswordTooLongError, PasswordTooShortError
from sixpence.auth.passwords import CONCURRENT_MAX, QUEUED_MAX, Passwords, check_new_password, check_password
from sixpence.core.errors import InvalidInputError, QueueFullError
from tests.auth.sign_in_setup import CountedHashing


async def test_hash_is_argon2id() -> None:
    """The default hash is argon2id with 64 MB and three passes, and only the right password verifies."""
    passwords = Passwords()

    stored = await passwords.hash("correct horse")

    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.verify("correct horse", stored) is True
    assert await passwords.verify("wrong horse", stored) is False


async def test_composed_and_decomposed_accents_are_equal(hashing: CountedHashing) -> None:
    """A password with composed accents verifies when they are decomposed."""
    passwords = Passwords(hashing)

    stored = await passwords.hash("caf\u00e9 at noon")

    assert await passwords.verify("cafe\u0301 at noon", stored) is True


async def test_verify_hashes_for_unknown_user(hashing: CountedHashing) -> None:
    """For an unknown user the same hashing runs once, and the result is False."""
    passwords = Passwords(hashing)

    same = await passwords.verify("correct horse", None)

    assert (same, hashing.verified) == (False, 1)


async def test_at_most_two_verifications_run_concurrently(hashing: CountedHashing) -> None:
    """Of twelve concurrent verifications at most two run at a time."""
    passwords = Passwords(hashing)

    await asyncio.gather(*(passwords.verify("wrong horse", None) for _ in range(12)))

    assert (hashing.verified, hashing.concurrent_max) == (12, CONCURRENT_MAX)


def test_hashing_queue_is_bounded(hashing: CountedHashing) -> None:
    """A full queue refuses; a freed slot can be taken."""
    passwords = Passwords(hashing)
    taken = [passwords.queue_slot() for _ in range(CONCURRENT_MAX + QUEUED_MAX)]
    for slot in taken:
        slot.__enter__()

    with pytest.raises(QueueFullError), passwords.queue_slot():
        pass

    taken[0].__exit__(None, None, None)
    with passwords.queue_slot():
        pass


@pytest.mark.parametrize("password", ["12345678", "x" * 128, "pässword", "        ", "nul\0inside"])
def test_passwords_of_8_to_128_characters_are_accepted(password: str) -> None:
    """Any text of that length may be a password."""
    assert check_new_password(password) == password


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", PasswordTooShortError(8)),
        ("1234567", PasswordTooShortError(8)),
        ("x" * 129, PasswordTooLongError(128)),
        (
            "half\ud800 a pair",
            InvalidInputError("password", "has half a character (a lone surrogate). Type it again."),
        ),
    ],
)
def test_invalid_passwords_are_refused(password: str, refusal: Exception) -> None:
    """Too short, too long and unencodable passwords are refused with the reason."""
    with pytest.raises(type(refusal)) as raised:
        check_new_password(password)

    assert raised.value == refusal


def test_check_password_accepts_short_passwords() -> None:
    """A sign-in refuses only a length that would be expensive to hash."""
    assert check_password("short") == "short"
