"""A caller's connection to PostgreSQL as a session: it runs the writer's statements with its driver's placeholders.

For SQLAlchemy (over psycopg or asyncpg) and Django, with the server's SQLSTATE of their errors. Not here: which
connections are accepted (`accepted_connections`), and the statements of a command (`postgres_savepoint`).
"""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, PendingRollbackError, ResourceClosedError

from sixpence.ledger.postgres.statements import Call, Parameter, Row

_NUMBERED = re.compile(r"\$(\d+)")


class StatementFailedError(Exception):
    """A failed statement of a session, with the server's SQLSTATE; None without one from the server."""

    def __init__(self, sqlstate: str | None, message: str) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


class SQLAlchemySession:
    """The transaction of a SQLAlchemy connection; inside `run_sync` also one of an async driver."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dollars = connection.dialect.paramstyle == "numeric_dollar"

    @property
    def driver_connection(self) -> object:
        """The driver's connection, which several SQLAlchemy connections may share."""
        if self._connection.invalidated:
            return self._connection  # the driver's connection is lost, and the first statement fails
        return self._connection.connection.driver_connection

    def run(self, *calls: Call) -> list[list[Row]]:
        """Run the calls one after another and return the rows of each."""
        return [self._rows(text, parameters) for text, parameters in calls]

    def _rows(self, text: str, parameters: tuple[Parameter, ...]) -> list[Row]:
        if self._dollars:
            text = declare_texts(text)
        else:
            text, parameters = to_percent_placeholders(text, parameters)
        try:
            result = self._connection.exec_driver_sql(text, parameters or None)
            return [tuple(row) for row in result] if result.returns_rows else []
        except (DBAPIError, PendingRollbackError, ResourceClosedError) as error:
            raise StatementFailedError(_sqlstate_of(error), str(error)) from error


class DjangoSession:
    """The transaction of a Django connection, without an import of Django."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    @property
    def driver_connection(self) -> object:
        """The driver's connection."""
        return self._connection.connection or self._connection

    def run(self, *calls: Call) -> list[list[Row]]:
        """Run the calls one after another and return the rows of each."""
        with self._connection.cursor() as cursor:
            return [self._rows(cursor, *to_percent_placeholders(text, parameters)) for text, parameters in calls]

    def _rows(self, cursor: Any, text: str, parameters: tuple[Parameter, ...]) -> list[Row]:
        try:
            cursor.execute(text, parameters or None)
            return [tuple(row) for row in cursor.fetchall()] if cursor.description else []
        except Exception as error:
            if type(error).__module__ != "django.db.utils":
                raise
            raise StatementFailedError(_sqlstate_of(error), str(error)) from error


def to_percent_placeholders(text: str, parameters: tuple[Parameter, ...]) -> tuple[str, tuple[Parameter, ...]]:
    """The statement with %s for each numbered placeholder, and the parameters in that order."""
    statement, places = _with_percents(text)
    return statement, tuple(parameters[place] for place in places)


@lru_cache
def declare_texts(text: str) -> str:
    """The statement with each placeholder cast from text: asyncpg would otherwise want a value of the target type."""
    return _NUMBERED.sub(r"$\1::text", text)


@lru_cache
def _with_percents(text: str) -> tuple[str, tuple[int, ...]]:
    return _NUMBERED.sub("%s", text), tuple(int(number) - 1 for number in _NUMBERED.findall(text))


def _sqlstate_of(error: BaseException | None) -> str | None:
    """The SQLSTATE of the driver's error, which SQLAlchemy has as `orig` and Django as the cause."""
    while error is not None:
        sqlstate = getattr(error, "sqlstate", None)
        if isinstance(sqlstate, str):
            return sqlstate
        error = getattr(error, "orig", None) or error.__cause__
    return None
