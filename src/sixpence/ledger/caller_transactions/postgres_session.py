"""A caller's connection to PostgreSQL as a session: the writer's statements in the placeholders of its driver.

Lives here: SQLAlchemy (over psycopg or asyncpg), Django, and where their errors carry the server's SQLSTATE.
Not here: which connections are accepted (`callers`), and what is run on them (`savepoint`).
"""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, PendingRollbackError, ResourceClosedError

from sixpence.ledger.postgres.statements import Call, Parameter, Row

_NUMBERED = re.compile(r"\$(\d+)")


class StatementFailedError(Exception):
    """A statement of a session failed, with the server's SQLSTATE; None where the server did not say."""

    def __init__(self, sqlstate: str | None, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class SQLAlchemySession:
    """The transaction of a SQLAlchemy connection; within `run_sync` also of one whose driver is asynchronous."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dollars = connection.dialect.paramstyle == "numeric_dollar"

    @property
    def held(self) -> object:
        """The driver's connection, which several of SQLAlchemy's may stand for."""
        if self._connection.invalidated:
            return self._connection  # the driver's is gone, as the first statement will tell
        return self._connection.connection.driver_connection

    def run(self, *calls: Call) -> list[list[Row]]:
        """The rows of each call, one after another."""
        return [self._rows(text, parameters) for text, parameters in calls]

    def _rows(self, text: str, parameters: tuple[Parameter, ...]) -> list[Row]:
        if self._dollars:
            text = with_texts(text)
        else:
            text, parameters = in_order(text, parameters)
        try:
            result = self._connection.exec_driver_sql(text, parameters or None)
            return [tuple(row) for row in result] if result.returns_rows else []
        except (DBAPIError, PendingRollbackError, ResourceClosedError) as error:
            raise StatementFailedError(_sqlstate_of(error), str(error)) from error


class DjangoSession:
    """The transaction of a Django connection. Django is not imported: a project that uses it brings its own."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def held(self) -> object:
        """The driver's connection."""
        return self._connection.connection or self._connection

    def run(self, *calls: Call) -> list[list[Row]]:
        """The rows of each call, one after another."""
        with self._connection.cursor() as cursor:
            return [self._rows(cursor, *in_order(text, parameters)) for text, parameters in calls]

    def _rows(self, cursor: Any, text: str, parameters: tuple[Parameter, ...]) -> list[Row]:
        try:
            cursor.execute(text, parameters or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        except Exception as error:
            if type(error).__module__ != "django.db.utils":
                raise
            raise StatementFailedError(_sqlstate_of(error), str(error)) from error


def in_order(text: str, parameters: tuple[Parameter, ...]) -> tuple[str, tuple[Parameter, ...]]:
    """The statement with %s for each numbered place, and the parameters in the order of these places."""
    statement, places = _with_percents(text)
    return statement, tuple(parameters[place] for place in places)


@lru_cache
def with_texts(text: str) -> str:
    """The statement with each place declared a text: asyncpg would ask for a value of the type it is cast to."""
    return _NUMBERED.sub(r"$\1::text", text)


@lru_cache
def _with_percents(text: str) -> tuple[str, tuple[int, ...]]:
    return _NUMBERED.sub("%s", text), tuple(int(number) - 1 for number in _NUMBERED.findall(text))


def _sqlstate_of(error: BaseException | None) -> str | None:
    """What the server said: on the driver's error, which SQLAlchemy keeps as `orig` and Django as the cause."""
    while error is not None:
        sqlstate = getattr(error, "sqlstate", None)
        if isinstance(sqlstate, str):
            return sqlstate
        error = getattr(error, "orig", None) or error.__cause__
    return None
