"""Fast full-table reads: plain tuples from the database drivers, without SQLAlchemy.

Statements have `?` for a value on both databases. Not here: what rows mean, and any writes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from typing import Any

from sqlalchemy import Connection

from sixpence.core.errors import DatabaseUnavailableError

ROWS_AT_ONCE = 1_000

Row = tuple[Any, ...]


class Scan:
    """Reads on one connection, inside its transaction; at most a thousand rows of a query are in memory at once.

    SQLite stores any bytes as text. Invalid UTF-8 is read with its bytes as surrogates, so it does not stop a run.
    """

    def __init__(self, connection: Connection) -> None:
        self.is_sqlite = connection.dialect.name == "sqlite"
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._errors: Any = connection.dialect.loaded_dbapi
        self._numbers = count(1)
        # One cursor for all look-ups: creating one takes as long as a query.
        self._cursor: Any = None if self.is_sqlite else driver.cursor(binary=True)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """Stream the rows of a query; several queries may be streamed side by side."""
        return chain.from_iterable(self.chunks(statement, values))

    def chunks(self, statement: str, values: Sequence[Any] = ()) -> Iterator[list[Row]]:
        """The same in lists of up to `ROWS_AT_ONCE` rows."""
        return self._chunks_sqlite(statement, values) if self.is_sqlite else self._chunks_postgres(statement, values)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        if self.is_sqlite:
            return list(self.stream(statement, values))
        try:
            found: list[Row] = self._cursor.execute(_for_psycopg(statement), values).fetchall()
        except self._errors.Error as error:
            raise DatabaseUnavailableError from error
        return found

    def in_json_list(self, column: str) -> str:
        """The condition that the column's number is in a JSON list; the list is the condition's one value."""
        if self.is_sqlite:
            return f"{column} IN (SELECT value FROM json_each(?))"
        return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(CAST(? AS json)))::bigint[])"

    @contextmanager
    def tolerating_invalid_utf8(self) -> Iterator[None]:
        """While the block runs, SQLAlchemy reads invalid UTF-8 as well; reads take longer."""
        before = self._driver.text_factory if self.is_sqlite else None
        if self.is_sqlite:
            self._driver.text_factory = _decode_with_surrogates
        try:
            yield
        finally:
            if self.is_sqlite:
                self._driver.text_factory = before

    def _chunks_postgres(self, statement: str, values: Sequence[Any]) -> Iterator[list[Row]]:
        try:
            with self._driver.cursor(name=f"scan_{next(self._numbers)}") as cursor:
                cursor.execute(_for_psycopg(statement), values, binary=True)
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    yield rows
        except self._errors.Error as error:
            raise DatabaseUnavailableError from error

    def _chunks_sqlite(self, statement: str, values: Sequence[Any]) -> Iterator[list[Row]]:
        """Valid text costs nothing extra: only a chunk with invalid UTF-8 is read a second time."""
        given = 0
        try:
            cursor = self._driver.execute(statement, values)
            while True:
                try:
                    rows = cursor.fetchmany(ROWS_AT_ONCE)
                except self._errors.OperationalError:
                    with self.tolerating_invalid_utf8():
                        retried = self._driver.execute(f"{statement} LIMIT {ROWS_AT_ONCE} OFFSET {given}", values)
                        rows = retried.fetchall()
                    cursor = self._driver.execute(f"{statement} LIMIT -1 OFFSET {given + len(rows)}", values)
                if not rows:
                    return
                given += len(rows)
                yield rows
        except self._errors.Error as error:
            raise DatabaseUnavailableError from error


def _for_psycopg(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


def _decode_with_surrogates(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
