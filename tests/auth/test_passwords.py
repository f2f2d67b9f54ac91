"""Passwords: what is accepted, how they are hashed, how many at once."""

import asyncio

import pytest

from sixpence.auth.errors import PasswordTooLongError, PasswordTooShortError
from sixpence.auth.passwords import AT_ONCE_MAX, WAITING_MAX, Passwords, check_new_password, check_password
from sixpence.core.errors import InvalidInputError, QueueFullError
from tests.auth.ground import CountedHashing


async def test_a_password_is_hashed_by_argon2id() -> None:
    """The default hash is argon2id with 64 MB and three passes, and only the right password verifies."""
    passwords = Passwords()

    stored = await passwords.hash("correct horse")

    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await passwords.verify("correct horse", stored) is True
    assert await passwords.verify("wrong horse", stored) is False


async def test_an_accent_may_be_composed_either_way(hashing: CountedHashing) -> None:
    """A password typed with composed accents verifies when they come decomposed."""
    passwords = Passwords(hashing)

    stored = await passwords.hash("caf\u00e9 at noon")

    assert await passwords.verify("cafe\u0301 at noon", stored) is True


async def test_nobodys_password_is_verified_too(hashing: CountedHashing) -> None:
    """For a user who does not exist the same hashing runs, once, and the answer is no."""
    passwords = Passwords(hashing)

    same = await passwords.verify("correct horse", None)

    assert (same, hashing.verified) == (False, 1)


async def test_two_are_hashed_at_once(hashing: CountedHashing) -> None:
    """Of twelve verifications at the same time never more than two run at once."""
    passwords = Passwords(hashing)

    await asyncio.gather(*(passwords.verify("wrong horse", None) for _ in range(12)))

    assert (hashing.verified, hashing.at_once_max) == (12, AT_ONCE_MAX)


def test_the_queue_is_bounded(hashing: CountedHashing) -> None:
    """Past the bound there is no place; once one is given back there is."""
    passwords = Passwords(hashing)
    taken = [passwords.place() for _ in range(AT_ONCE_MAX + WAITING_MAX)]
    for place in taken:
        place.__enter__()

    with pytest.raises(QueueFullError), passwords.place():
        pass

    taken[0].__exit__(None, None, None)
    with passwords.place():
        pass


@pytest.mark.parametrize("password", ["12345678", "x" * 128, "pässword", "        ", "nul\0inside"])
def test_a_password_of_8_to_128_characters_is_accepted(password: str) -> None:
    """Anything of that length may be a password."""
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
def test_other_passwords_are_refused(password: str, refusal: Exception) -> None:
    """Too short, too long and unencodable passwords are refused with what is wrong."""
    with pytest.raises(type(refusal)) as raised:
        check_new_password(password)

    assert raised.value == refusal


def test_a_short_password_may_still_be_tried() -> None:
    """At a sign-in only the length that costs something is refused."""
    assert check_password("short") == "short"
