"""Sign-ins, recorded one row each, and the limit on those that fail: five an e-mail in fifteen minutes.

An attempt is recorded as failed before its password is verified, and marked when it succeeds; so the count holds for
attempts at the same time, over several processes, and through a crash. A refused attempt leaves no row.
Not here: passwords, sessions.
"""

import hashlib

from sqlalchemy import Connection, delete, func, insert, select, update

from sixpence.auth.client import Client
from sixpence.auth.errors import TooManySignInsError
from sixpence.core.values.instant import DAY, SECOND
from sixpence.ledger.database.tables import auth_sign_ins

FAILURES_MAX = 5
WINDOW = 15 * 60 * SECOND
KEPT = 90 * DAY
REMOVED_AT_ONCE_MAX = 500


def reserve_attempt(connection: Connection, email: str, client: Client, *, now: int) -> int:
    """Record an attempt, failed until further notice, and give its id; raises `TooManySignInsError`."""
    _queue_up(connection, email)
    seconds = _wait_seconds(connection, email, now=now)
    if seconds:
        raise TooManySignInsError(seconds)
    return _insert(connection, email, client, user_id=None, now=now)


def accept_attempt(connection: Connection, attempt_id: int, user_id: str) -> None:
    """Mark a reserved attempt as a sign-in, which clears the count of those before it."""
    change = {"succeeded": True, "user_id": user_id}
    connection.execute(update(auth_sign_ins).where(auth_sign_ins.c.id == attempt_id).values(change))


def record_sign_in(connection: Connection, email: str, user_id: str, client: Client, *, now: int) -> None:
    """Record a sign-in that needed no attempt: that of somebody who has just signed up."""
    _insert(connection, email, client, user_id=user_id, now=now)


def remove_old_sign_ins(connection: Connection, *, now: int) -> int:
    """Remove some of the sign-ins that are older than 90 days; gives how many."""
    # By id, which is the order of time, so that what is looked at is bounded without an index of its own.
    oldest = (
        select(auth_sign_ins.c.id, auth_sign_ins.c.at)
        .order_by(auth_sign_ins.c.id)
        .limit(REMOVED_AT_ONCE_MAX)
        .with_for_update(skip_locked=True)
    )
    ids = [row.id for row in connection.execute(oldest) if row.at <= now - KEPT]
    return connection.execute(delete(auth_sign_ins).where(auth_sign_ins.c.id.in_(ids))).rowcount


def _wait_seconds(connection: Connection, email: str, *, now: int) -> int:
    recent = (auth_sign_ins.c.email == email) & (auth_sign_ins.c.at > now - WINDOW)
    latest = select(auth_sign_ins.c.succeeded, auth_sign_ins.c.at).where(recent)
    rows = connection.execute(latest.order_by(auth_sign_ins.c.id.desc()).limit(FAILURES_MAX)).all()
    if len(rows) < FAILURES_MAX or any(row.succeeded for row in rows):
        return 0
    until_one_is_forgotten: int = rows[-1].at + WINDOW - now
    return -(-until_one_is_forgotten // SECOND)


def _insert(connection: Connection, email: str, client: Client, *, user_id: str | None, now: int) -> int:
    row = {
        "email": email,
        "user_id": user_id,
        "succeeded": user_id is not None,
        "ip_address": client.ip_address,
        "user_agent": client.user_agent,
        "at": now,
    }
    added = connection.execute(insert(auth_sign_ins).values(row)).inserted_primary_key
    assert added is not None
    return int(added[0])


def _queue_up(connection: Connection, email: str) -> None:
    # Two transactions that count at the same time would both find four. SQLite has one writer; on PostgreSQL attempts
    # of one e-mail queue up here, until each commits, whether or not there is a user whose row could be locked.
    if connection.dialect.name == "postgresql":
        key = hashlib.sha256(b"sixpence sign-in\0" + email.encode()).digest()[:8]
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(key, signed=True))))
