"""The connections that a caller may pass as `connection`, and the errors for all others.

It tells SQLAlchemy's and Django's connections apart and checks their own state. Not here: the server's checks of the
transaction (`postgres_savepoint`), and borrowed SQLite connections (`sqlite_borrowed`).
"""

import sys
from typing import Any, TypeGuard

from sqlalchemy import Connection

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.caller_transactions.postgres_session import DjangoSession, SQLAlchemySession

_REMEDY = (
    "Send a SQLAlchemy connection that is in a transaction (session.connection() gives a session's), or Django's "
    "connection inside transaction.atomic()."
)


def to_session(connection: object) -> SQLAlchemySession | DjangoSession:
    """The session of a blocking connection; raises `InvalidInputError` with the remedy for anything else."""
    if isinstance(connection, Connection):
        return _sqlalchemy_session(connection)
    if _is_django(connection):
        return _django_session(connection)
    if is_async(connection):
        raise connection_error("is asynchronous. Use CreditService with it, or SyncCreditService inside its run_sync.")
    raise unsupported(connection)


def check_async(connection: object) -> Any:
    """Return a SQLAlchemy `AsyncConnection`; raises `InvalidInputError` with the remedy for anything else."""
    if is_async(connection):
        return connection
    if isinstance(connection, Connection) or _is_django(connection):
        raise connection_error(
            "would block the event loop. Use SyncCreditService with it, in a thread, or send an AsyncConnection."
        )
    raise unsupported(connection)


def is_async(connection: object) -> TypeGuard[Any]:
    """Whether it is a SQLAlchemy `AsyncConnection`; before an import of its module there cannot be one."""
    module = sys.modules.get("sqlalchemy.ext.asyncio")
    return module is not None and isinstance(connection, module.AsyncConnection)


def unsupported(connection: object) -> InvalidInputError:
    """The error for an object that is not an accepted connection."""
    if callable(getattr(connection, "connection", None)) and type(connection).__module__.startswith("sqlalchemy."):
        return connection_error("is a session. Send its connection: session.connection(), awaited if it is async.")
    return connection_error(f"is {describe(connection)}. {_REMEDY}")


def describe(connection: object) -> str:
    """The object's class, for a message."""
    kind = type(connection)
    return f"of the class {kind.__module__}.{kind.__qualname__}"


def connection_error(problem: str) -> InvalidInputError:
    """The error for an unusable `connection`."""
    return InvalidInputError("connection", problem)


def _sqlalchemy_session(connection: Connection) -> SQLAlchemySession:
    if connection.closed:
        raise connection_error(f"is closed. {_REMEDY}")
    if connection.dialect.name != "postgresql":
        raise connection_error(f"leads to {connection.dialect.name}, but the credits are on PostgreSQL. {_REMEDY}")
    if connection.dialect.driver not in ("psycopg", "psycopg_async", "asyncpg"):
        raise connection_error(f"uses the driver {connection.dialect.driver}. Send one over psycopg or asyncpg.")
    return SQLAlchemySession(connection)


def _django_session(connection: Any) -> DjangoSession:
    if connection.vendor != "postgresql":
        raise connection_error(f"leads to {connection.vendor}, but the credits are on PostgreSQL. {_REMEDY}")
    if connection.Database.__name__ != "psycopg":
        raise connection_error("uses the driver psycopg2. Install psycopg, which Django then takes.")
    if not connection.in_atomic_block:
        raise connection_error("is in no transaction. Call inside `with transaction.atomic():`.")
    if connection.needs_rollback:
        raise connection_error("is in a transaction that failed before. Let its atomic block end, and begin another.")
    return DjangoSession(connection)


def _is_django(connection: object) -> TypeGuard[Any]:
    """Whether it is a Django connection, or Django's proxy of this thread's connection."""
    return hasattr(connection, "in_atomic_block") and any(
        kind.__module__.startswith("django.") for kind in type(connection).__mro__
    )
