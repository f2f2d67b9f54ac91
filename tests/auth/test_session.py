"""Sessions: listing, revoking, and removing ended ones."""

from sixpence.auth.client import Client
from sixpence.auth.session import REMOVAL_BATCH_SIZE
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.core.values.instant import DAY
from tests.auth.sign_in_setup import NOON, SettableClock, SqlDatabase


async def test_list_sessions_newest_first(sign_in: EmbeddedSignIn, clock: SettableClock) -> None:
    """The list has a user's own sessions that have not ended, newest first."""
    first = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    await sign_in.sign_up(email="bob@example.com", name="Bob", password="correct horse")
    clock.advance(seconds=1)
    await sign_in.sign_in(email="ada@example.com", password="correct horse", remember=False)
    clock.advance(days=2)
    third = await sign_in.sign_in(email="ada@example.com", password="correct horse")

    listed = await sign_in.list_sessions(first.user.id)

    assert listed == [third.session, first.session]


async def test_revoke_session(sign_in: EmbeddedSignIn) -> None:
    """A revoked session is not found; another user's session cannot be revoked by its id."""
    ada = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    bob = await sign_in.sign_up(email="bob@example.com", name="Bob", password="correct horse")

    own = await sign_in.revoke_session(user_id=ada.user.id, session_id=ada.session.id)
    foreign = await sign_in.revoke_session(user_id=ada.user.id, session_id=bob.session.id)

    assert (own, foreign) == (True, False)
    assert [await sign_in.find_session(each.token) for each in (ada, bob)] == [None, bob]


async def test_revoke_sessions(sign_in: EmbeddedSignIn) -> None:
    """Revoking all sessions of a user ends those only."""
    ada = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    again = await sign_in.sign_in(email="ada@example.com", password="correct horse")
    bob = await sign_in.sign_up(email="bob@example.com", name="Bob", password="correct horse")

    ended = await sign_in.revoke_sessions(ada.user.id)

    assert ended == 2
    assert [await sign_in.find_session(each.token) for each in (ada, again, bob)] == [None, None, bob]


async def test_sign_in_removes_ended_sessions_hourly(
    sign_in: EmbeddedSignIn, clock: SettableClock, database: SqlDatabase
) -> None:
    """A sign-in an hour or more after the last cleanup removes the rows of ended sessions only."""
    first = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse", remember=False)
    second = await sign_in.sign_in(email="ada@example.com", password="correct horse")
    clock.advance(days=1)

    third = await sign_in.sign_in(email="ada@example.com", password="correct horse")

    left = {row["id"] for row in database.rows("auth_sessions")}
    assert first.session.id not in left
    assert left == {second.session.id, third.session.id}


async def test_cleanup_removes_one_batch(sign_in: EmbeddedSignIn, clock: SettableClock, database: SqlDatabase) -> None:
    """A cleanup removes one batch of rows; the next cleanup removes the rest."""
    signed_in = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse")
    add_ended_sessions(database, signed_in.user.id, REMOVAL_BATCH_SIZE + 7)
    counts = []

    for _ in range(2):
        clock.advance(seconds=3600)
        await sign_in.sign_in(email="ada@example.com", password="correct horse")
        counts.append(sum(row["expires_at"] < NOON for row in database.rows("auth_sessions")))

    assert counts == [7, 0]


async def test_user_agent_is_cut_and_cleaned(sign_in: EmbeddedSignIn) -> None:
    """A long user agent is cut, and its control characters are removed."""
    client = Client("192.0.2.7", "Br\0ow\nser " + "x" * 10_000)

    signed_in = await sign_in.sign_up(email="ada@example.com", name="Ada", password="correct horse", client=client)

    assert signed_in.session.user_agent == "Browser " + "x" * 502


def add_ended_sessions(database: SqlDatabase, user_id: str, count: int) -> None:
    """Adds sessions that ended before noon."""
    rows = [
        {
            "id": f"ended-{number}",
            "token_hash": number.to_bytes(32),
            "user_id": user_id,
            "remember": True,
            "created_at": NOON - 8 * DAY,
            "updated_at": NOON - 8 * DAY,
            "expires_at": NOON - 1 * DAY,
        }
        for number in range(count)
    ]
    database.add_rows("auth_sessions", rows)
