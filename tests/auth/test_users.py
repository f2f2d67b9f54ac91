"""`Users`: users created by an operator, and changed passwords."""

import asyncio

import pytest

from sixpence.auth.errors import EmailTakenError, PasswordTooShortError, UserNotFoundError, WrongPasswordError
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User
from tests.auth.sign_in_setup import NOON, CountedHashing, SettableClock, SqlDatabase


async def test_create_user_with_role(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """A user created with a role has it, has no session, and can sign in."""
    made = await sign_in.users.create_user(
        email="Grace@example.com", name="Grace", password="correct horse", role="admin"
    )

    assert made == User(made.id, "grace@example.com", "Grace", False, None, "admin", NOON, NOON)
    assert database.rows("auth_sessions") == []
    signed_in = await sign_in.sign_in(email="grace@example.com", password="correct horse")
    assert signed_in.user == made


async def test_create_user_refuses_taken_email(sign_in: EmbeddedSignIn, database: SqlDatabase) -> None:
    """A taken e-mail is refused."""
    made = await sign_in.users.create_user(email="grace@example.com", name="Grace", password="correct horse")

    with pytest.raises(EmailTakenError):
        await sign_in.users.create_user(email="grace@example.com", name="Eve", password="correct horse", role="admin")

    assert await sign_in.users.find_user(made.id) == made
    assert len(database.rows("auth_users")) == 1


async def test_find_user_by_id_and_email(sign_in: EmbeddedSignIn) -> None:
    """A user is found by id, and by e-mail in any case; others are not."""
    made = await sign_in.users.create_user(email="grace@example.com", name="Grace", password="correct horse")

    found = [
        await sign_in.users.find_user(made.id),
        await sign_in.users.find_user_by_email("GRACE@example.com"),
        await sign_in.users.find_user(made.id.swapcase()),
        await sign_in.users.find_user_by_email("nobody@example.com"),
    ]

    assert found == [made, made, None, None]


async def test_set_password_ends_every_session(sign_in: EmbeddedSignIn, clock: SettableClock) -> None:
    """The old password and the old sessions are refused, and the new password signs in."""
    ada = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    bob = await sign_in.sign_up(email="bob@example.com", name="Bob", password="correct horse")
    clock.advance(seconds=5)

    await sign_in.users.set_password(email="ADA@example.com", password="another horse")

    assert [await sign_in.find_session(each.token) for each in (ada, bob)] == [None, bob]
    with pytest.raises(WrongPasswordError):
        await sign_in.sign_in(email="ada@example.com", password="correct horse")
    again = await sign_in.sign_in(email="ada@example.com", password="another horse")
    assert (again.user.id, again.user.updated_at) == (ada.user.id, clock.now)


async def test_refused_set_password_changes_nothing(sign_in: EmbeddedSignIn) -> None:
    """A short password and an unknown e-mail are refused; the session remains."""
    ada = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")

    with pytest.raises(PasswordTooShortError):
        await sign_in.users.set_password(email="ada@example.com", password="short")
    with pytest.raises(UserNotFoundError) as raised:
        await sign_in.users.set_password(email="nobody@example.com", password="another horse")

    assert raised.value == UserNotFoundError("nobody@example.com")
    assert await sign_in.find_session(ada.token) == ada


async def test_sign_in_during_set_password_gets_no_session(
    sign_in: EmbeddedSignIn, database: SqlDatabase, hashing: CountedHashing
) -> None:
    """A sign-in that verifies the old password while the new one is set is refused."""
    await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    hashing.gate.clear()
    attempt = asyncio.create_task(sign_in.sign_in(email="ada@example.com", password="correct horse"))
    await asyncio.to_thread(hashing.begun.wait, 30)

    await sign_in.users.set_password(email="ada@example.com", password="another horse")
    hashing.gate.set()

    with pytest.raises(WrongPasswordError):
        await attempt
    assert database.rows("auth_sessions") == []
