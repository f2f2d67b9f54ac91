"""`EmbeddedSignIn` without HTTP: sign-up, sign-in, sign-out."""

import asyncio

import pytest

from sixpence.auth.client import Client
from sixpence.auth.errors import EmailTakenError, PasswordTooShortError, WrongPasswordError
from sixpence.auth.passwords import CONCURRENT_MAX, QUEUED_MAX, Passwords
from sixpence.auth.session import Session
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User
from sixpence.core.errors import InvalidInputError, QueueFullError
from sixpence.core.values.instant import DAY
from tests.auth.sign_in_setup import NOON, SECRET, CountedHashing, SettableClock, SqlDatabase

CLIENT = Client("192.0.2.7", "Browser/1.0")


async def test_sign_up_creates_user_and_session(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """A sign-up creates the user and a session of seven days, and the token finds both."""
    signed_in = await sign_in.sign_up(email="Ada@Example.com", name="Ada", password="correct horse", client=CLIENT)

    user, session = signed_in.user, signed_in.session
    assert user == User(user.id, "ada@example.com", "Ada", False, None, "user", NOON, NOON)
    assert session == Session(session.id, user.id, True, "192.0.2.7", "Browser/1.0", NOON, NOON, NOON + 7 * DAY)
    assert [len(word) for word in (user.id, session.id, signed_in.token)] == [32, 32, 32]
    assert await sign_in.find_session(signed_in.token) == signed_in
    assert [row["id"] for row in database.rows("auth_users")] == [user.id]


async def test_sign_up_refuses_taken_email(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """A second sign-up with the same e-mail, in any case, is refused and changes nothing."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    before = [database.rows(table) for table in ("auth_users", "auth_sessions", "auth_sign_ins")]

    with pytest.raises(EmailTakenError):
        await sign_in.sign_up(email="ADA@example.com", name="Eve", password="another horse")

    assert [database.rows(table) for table in ("auth_users", "auth_sessions", "auth_sign_ins")] == before


async def test_concurrent_sign_ups_create_one_user(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """Ten concurrent sign-ups with one e-mail create one user with one session."""
    attempts = [sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse") for _ in range(10)]

    answers = await asyncio.gather(*attempts, return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == [*["EmailTakenError"] * 9, "SignedIn"]
    assert (len(database.rows("auth_users")), len(database.rows("auth_sessions"))) == (1, 1)


async def test_refused_sign_up_stores_nothing(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """A password that is too short creates no user."""
    with pytest.raises(PasswordTooShortError):
        await sign_in.sign_up(email="ada@example.com", name="Ada", password="short")

    assert database.rows("auth_users") == []


async def test_sign_in_with_right_password(sign_in: EmbeddedSignIn, clock: SettableClock) -> None:
    """A sign-in gives the same user another session."""
    first = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    clock.advance(seconds=60)

    second = await sign_in.sign_in(email="ADA@example.com", password="correct horse")

    assert second.user == first.user
    assert second.token != first.token
    assert await sign_in.find_session(second.token) == second
    assert await sign_in.find_session(first.token) == first


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.com", "wrong horse"), ("nobody@example.com", "correct horse"), ("ada@example.com", "short")],
)
async def test_unknown_email_is_like_wrong_password(
    sign_in: EmbeddedSignIn, hashing: CountedHashing, database: SqlDatabase, email: str, password: str
) -> None:
    """Both have the same error, one verification and one recorded attempt."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")

    with pytest.raises(WrongPasswordError) as raised:
        await sign_in.sign_in(email=email, password=password, client=CLIENT)

    attempt = database.rows("auth_sign_ins")[-1]
    assert raised.value == WrongPasswordError()
    assert hashing.verified == 1
    assert {name: attempt[name] for name in ("email", "user_id", "succeeded", "ip_address")} == {
        "email": email,
        "user_id": None,
        "succeeded": False,
        "ip_address": "192.0.2.7",
    }
    assert len(database.rows("auth_sessions")) == 1


async def test_dummy_hash_has_parameters_of_user_hash(hashing: CountedHashing, sign_in: EmbeddedSignIn) -> None:
    """The hash for an unknown e-mail has the parameters of a new user's hash."""
    passwords = Passwords(hashing)

    parameters = [text.split("$")[1:4] for text in (passwords._get_dummy_hash(), await passwords.hash("correct horse"))]

    assert parameters[0] == parameters[1]


async def test_sign_out_ends_session(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """After a sign-out the token finds no session. Other sessions remain, and a second sign-out is no error."""
    first = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    second = await sign_in.sign_in(email="ada@example.com", password="correct horse")

    await sign_in.sign_out(first.token)
    await sign_in.sign_out(first.token)

    assert await sign_in.find_session(first.token) is None
    assert await sign_in.find_session(second.token) == second


@pytest.mark.parametrize(("remember", "days"), [(True, 7), (False, 1)])
async def test_session_ends_after_7_days_or_1_day(
    sign_in: EmbeddedSignIn, clock: SettableClock, remember: bool, days: int
) -> None:
    """A session ends after exactly seven days, or after one day without `remember`."""
    signed_in = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse", remember=remember)

    clock.now = NOON + days * DAY - 1
    just_before = await sign_in.find_session(signed_in.token)
    clock.now = NOON + days * DAY
    at_the_end = await sign_in.find_session(signed_in.token)

    assert (just_before, at_the_end) == (signed_in, None)


async def test_no_secret_is_stored_in_clear(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """No table has a password or a token, and no record shows a token."""
    signed_in = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    tables = ("auth_users", "auth_sessions", "auth_sign_ins")

    stored = repr([database.rows(table) for table in tables])

    assert "correct horse" not in stored
    assert signed_in.token not in stored
    assert signed_in.token not in repr(signed_in)
    assert "$argon2id$" in stored


async def test_full_queue_counts_no_attempt(
    sign_in: EmbeddedSignIn, database: SqlDatabase, hashing: CountedHashing
) -> None:
    """If too many passwords are queued, the rest are refused at once and write no row."""
    attempts = [sign_in.sign_in(email=f"{n}@example.com", password="wrong horse") for n in range(80)]

    answers = await asyncio.gather(*attempts, return_exceptions=True)

    accepted = CONCURRENT_MAX + QUEUED_MAX
    assert [type(answer) for answer in answers] == [WrongPasswordError] * accepted + [QueueFullError] * (80 - accepted)
    assert (len(database.rows("auth_sign_ins")), hashing.verified) == (accepted, accepted)


async def test_find_signed_requires_same_secret(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """A signed token is found with the same secret only."""
    other = EmbeddedSignIn(database, SECRET + "!", lambda: NOON, Passwords(CountedHashing()))

    text = sign_in.sign("a-token")

    assert (sign_in.find_signed(text), other.find_signed(text)) == ("a-token", None)


def test_short_secret_is_refused(database: SqlDatabase, clock: SettableClock) -> None:
    """A secret of fewer than 32 characters is refused with what to do."""
    with pytest.raises(InvalidInputError) as raised:
        EmbeddedSignIn(database, "too short", clock)

    assert raised.value == InvalidInputError("secret", "has 9 characters. Set at least 32 random ones.")
