"""Sessions: their duration, and their rows in a transaction.

Not here: their cookie (`sixpence.http.callers.cookies`), and who may begin one (`sign_in`).
"""

from dataclasses import dataclass, field, fields

from sqlalchemy import Connection, delete, insert, select

from sixpence.auth import tokens
from sixpence.auth.client import Client
from sixpence.auth.user import COLUMNS as USER_COLUMNS
from sixpence.auth.user import User
from sixpence.auth.user import from_row as user_from_row
from sixpence.core.values.instant import DAY
from sixpence.ledger.database.tables import auth_sessions, auth_users

REMEMBERED_DURATION = 7 * DAY
UNREMEMBERED_DURATION = 1 * DAY
# Small enough not to delay the sign-in that removes them.
REMOVAL_BATCH_SIZE = 500


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in of one user, until `expires_at`. Only the browser has its token."""

    id: str
    user_id: str
    remember: bool
    ip_address: str | None
    user_agent: str | None
    created_at: int
    updated_at: int
    expires_at: int


COLUMNS = [auth_sessions.c[each.name] for each in fields(Session)]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A signed-in user with their session and its secret token."""

    user: User
    session: Session
    token: str = field(repr=False)


def begin_session(connection: Connection, user: User, *, remember: bool, client: Client, now: int) -> SignedIn:
    """Begins a session of seven days with `remember`, otherwise of one day."""
    token = tokens.random_token(tokens.TOKEN_LENGTH)
    session = Session(
        id=tokens.random_token(tokens.ID_LENGTH),
        user_id=user.id,
        remember=remember,
        ip_address=client.ip_address,
        user_agent=client.user_agent,
        created_at=now,
        updated_at=now,
        expires_at=now + (REMEMBERED_DURATION if remember else UNREMEMBERED_DURATION),
    )
    row = {each.name: getattr(session, each.name) for each in fields(Session)}
    connection.execute(insert(auth_sessions).values(**row, token_hash=tokens.digest(token)))
    return SignedIn(user, session, token)


def find_signed_in(connection: Connection, token: str, *, now: int) -> SignedIn | None:
    """Finds the session of this token and its user, unless the session has ended."""
    wanted = (auth_sessions.c.token_hash == tokens.digest(token)) & (auth_sessions.c.expires_at > now)
    row = connection.execute(select(*COLUMNS, *USER_COLUMNS).join_from(auth_sessions, auth_users).where(wanted)).first()
    return None if row is None else SignedIn(user_from_row(row), Session(*row[: len(COLUMNS)]), token)


def list_sessions(connection: Connection, user_id: str, *, now: int) -> list[Session]:
    """Lists the user's sessions that have not ended, newest first."""
    wanted = (auth_sessions.c.user_id == user_id) & (auth_sessions.c.expires_at > now)
    newest_first = (auth_sessions.c.created_at.desc(), auth_sessions.c.id)
    return [Session(*row) for row in connection.execute(select(*COLUMNS).where(wanted).order_by(*newest_first))]


def remove_session_by_token(connection: Connection, token: str) -> None:
    """Ends the session of this token, if there is one."""
    connection.execute(delete(auth_sessions).where(auth_sessions.c.token_hash == tokens.digest(token)))


def remove_session(connection: Connection, *, user_id: str, session_id: str) -> bool:
    """Ends one session of a user; False if the user has no such session."""
    wanted = (auth_sessions.c.user_id == user_id) & (auth_sessions.c.id == session_id)
    return connection.execute(delete(auth_sessions).where(wanted)).rowcount == 1


def remove_sessions(connection: Connection, user_id: str) -> int:
    """Ends every session of a user and returns their number."""
    return connection.execute(delete(auth_sessions).where(auth_sessions.c.user_id == user_id)).rowcount


def remove_expired_sessions(connection: Connection, *, now: int) -> int:
    """Removes a batch of ended sessions and returns their number."""
    # Another process may remove the same rows. Both skip locked rows, so neither waits.
    ended = (
        select(auth_sessions.c.id)
        .where(auth_sessions.c.expires_at <= now)
        .order_by(auth_sessions.c.expires_at)
        .limit(REMOVAL_BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    ids = list(connection.execute(ended).scalars())
    return connection.execute(delete(auth_sessions).where(auth_sessions.c.id.in_(ids))).rowcount
