"""What a caller may hand over as `connection`, and what is said of anything else.

Lives here: telling SQLAlchemy's connections and Django's apart, and whether each is in a transaction as far as it knows
itself. Not here: what the server says of the transaction (`savepoint`), and a SQLite connection that is lent (`lent`).
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


def session_of(connection: object) -> SQLAlchemySession | DjangoSession:
    """The session of a connection that blocks; raises `InvalidInputError` for what is none, with the remedy."""
    if isinstance(connection, Connection):
        return _of_sqlalchemy(connection)
    if _is_django(connection):
        return _of_django(connection)
    if is_async(connection):
        raise refused("is asynchronous. Use CreditService with it, or SyncCreditService inside its run_sync.")
    raise not_one(connection)


def checked_async(connection: object) -> Any:
    """A SQLAlchemy `AsyncConnection`; raises `InvalidInputError` for anything else, with the remedy."""
    if is_async(connection):
        return connection
    if isinstance(connection, Connection) or _is_django(connection):
        raise refused(
            "would block the event loop. Use SyncCreditService with it, in a thread, or send an AsyncConnection."
        )
    raise not_one(connection)


def is_async(connection: object) -> TypeGuard[Any]:
    """Whether it is a SQLAlchemy `AsyncConnection`; whoever has one has imported its module."""
    module = sys.modules.get("sqlalchemy.ext.asyncio")
    return module is not None and isinstance(connection, module.AsyncConnection)


def not_one(connection: object) -> InvalidInputError:
    """What is said of an object that is no connection of a known kind."""
    if callable(getattr(connection, "connection", None)) and type(connection).__module__.startswith("sqlalchemy."):
        return refused("is a session. Send its connection: session.connection(), awaited if it is async.")
    return refused(f"is {name_of(connection)}. {_REMEDY}")


def name_of(connection: object) -> str:
    """What kind of object it is, for a message."""
    kind = type(connection)
    return f"of the class {kind.__module__}.{kind.__qualname__}"


def refused(problem: str) -> InvalidInputError:
    """A connection that cannot be used."""
    return InvalidInputError("connection", problem)


def _of_sqlalchemy(connection: Connection) -> SQLAlchemySession:
    if connection.closed:
        raise refused(f"is closed. {_REMEDY}")
    if connection.dialect.name != "postgresql":
        raise refused(f"leads to {connection.dialect.name}, and the credits are kept on PostgreSQL. {_REMEDY}")
    if connection.dialect.driver not in ("psycopg", "psycopg_async", "asyncpg"):
        raise refused(f"uses the driver {connection.dialect.driver}. Send one over psycopg or asyncpg.")
    return SQLAlchemySession(connection)


def _of_django(connection: Any) -> DjangoSession:
    if connection.vendor != "postgresql":
        raise refused(f"leads to {connection.vendor}, and the credits are kept on PostgreSQL. {_REMEDY}")
    if connection.Database.__name__ != "psycopg":
        raise refused("uses the driver psycopg2. Install psycopg, which Django then takes.")
    if not connection.in_atomic_block:
        raise refused("is in no transaction. Call inside `with transaction.atomic():`.")
    if connection.needs_rollback:
        raise refused("is in a transaction that failed before. Let its atomic block end, and begin another.")
    return DjangoSession(connection)


def _is_django(connection: object) -> TypeGuard[Any]:
    """Whether it is a Django connection, or Django's own name for the one of this thread."""
    return hasattr(connection, "in_atomic_block") and any(
        kind.__module__.startswith("django.") for kind in type(connection).__mro__
    )
