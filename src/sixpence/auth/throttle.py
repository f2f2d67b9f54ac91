"""The limit on failed sign-ins: five for one e-mail in fifteen minutes. Each sign-in is recorded in a row.

An attempt is recorded as failed before its password is verified, and marked when it succeeds. So the limit holds for
concurrent attempts, over several processes, and through a crash. A refused attempt writes no row.
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
RETENTION = 90 * DAY
REMOVAL_BATCH_SIZE = 500


def reserve_attempt(connection: Connection, email: str, client: Client, *, now: int) -> int:
    """Records an attempt as failed and returns its id; raises `TooManySignInsError`."""
    _lock_email(connection, email)
    seconds = _wait_seconds(connection, email, now=now)
    if seconds:
        raise TooManySignInsError(seconds)
    return _insert(connection, email, client, user_id=None, now=now)


def accept_attempt(connection: Connection, attempt_id: int, user_id: str) -> None:
    """Marks a reserved attempt as successful, which clears the count of earlier failures."""
    change = {"succeeded": True, "user_id": user_id}
    connection.execute(update(auth_sign_ins).where(auth_sign_ins.c.id == attempt_id).values(change))


def record_sign_in(connection: Connection, email: str, user_id: str, client: Client, *, now: int) -> None:
    """Records a sign-in without an attempt: that of a new user."""
    _insert(connection, email, client, user_id=user_id, now=now)


def remove_old_sign_ins(connection: Connection, *, now: int) -> int:
    """Removes a batch of sign-ins older than 90 days and returns their number."""
    # In the order of ids, which is that of time: this bounds the rows read and needs no further index.
    oldest = (
        select(auth_sign_ins.c.id, auth_sign_ins.c.at)
        .order_by(auth_sign_ins.c.id)
        .limit(REMOVAL_BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    ids = [row.id for row in connection.execute(oldest) if row.at <= now - RETENTION]
    return connection.execute(delete(auth_sign_ins).where(auth_sign_ins.c.id.in_(ids))).rowcount


def _wait_seconds(connection: Connection, email: str, *, now: int) -> int:
    recent = (auth_sign_ins.c.email == email) & (auth_sign_ins.c.at > now - WINDOW)
    latest = select(auth_sign_ins.c.succeeded, auth_sign_ins.c.at).where(recent)
    rows = connection.execute(latest.order_by(auth_sign_ins.c.id.desc()).limit(FAILURES_MAX)).all()
    if len(rows) < FAILURES_MAX or any(row.succeeded for row in rows):
        return 0
    wait: int = rows[-1].at + WINDOW - now
    return -(-wait // SECOND)


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


def _lock_email(connection: Connection, email: str) -> None:
    # Two concurrent transactions would both count four failures. SQLite has one writer. On PostgreSQL this lock makes
    # attempts for one e-mail wait for each other's commit; an unknown e-mail has no user row to lock.
    if connection.dialect.name == "postgresql":
        key = hashlib.sha256(b"sixpence sign-in\0" + email.encode()).digest()[:8]
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(key, signed=True))))
