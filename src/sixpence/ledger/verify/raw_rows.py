"""Reading past SQLAlchemy, for who reads every row of a ledger: plain tuples, as fast as the drivers can.

A statement has `?` where a value goes, on both databases. Not here: what rows mean, and any that are written.
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
    """One connection, on which a transaction runs; of the rows of a query a thousand are in memory at once.

    SQLite keeps any bytes as text: what is no UTF-8 is given with its bytes as surrogates, and ends no run.
    """

    def __init__(self, connection: Connection) -> None:
        self.is_sqlite = connection.dialect.name == "sqlite"
        driver: Any = connection.connection.driver_connection
        self._driver = driver
        self._errors: Any = connection.dialect.loaded_dbapi
        self._numbers = count(1)
        # One for all look-ups: making one takes as long as asking it.
        self._cursor: Any = None if self.is_sqlite else driver.cursor(binary=True)

    def stream(self, statement: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of a query one after another, however many there are; several may be read side by side."""
        return chain.from_iterable(self.chunks(statement, values))

    def chunks(self, statement: str, values: Sequence[Any] = ()) -> Iterator[list[Row]]:
        """The same, so many at once."""
        return self._of_sqlite(statement, values) if self.is_sqlite else self._of_postgres(statement, values)

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        if self.is_sqlite:
            return list(self.stream(statement, values))
        try:
            found: list[Row] = self._cursor.execute(_for_psycopg(statement), values).fetchall()
        except self._errors.Error as error:
            raise DatabaseUnavailableError from error
        return found

    def among(self, column: str) -> str:
        """The condition that the column's number is in a JSON list, which is the condition's one value."""
        if self.is_sqlite:
            return f"{column} IN (SELECT value FROM json_each(?))"
        return f"{column} = ANY(ARRAY(SELECT json_array_elements_text(CAST(? AS json)))::bigint[])"

    @contextmanager
    def any_text(self) -> Iterator[None]:
        """For the time being whatever text there is can be read through SQLAlchemy, too; it takes longer."""
        before = self._driver.text_factory if self.is_sqlite else None
        if self.is_sqlite:
            self._driver.text_factory = _surrogated
        try:
            yield
        finally:
            if self.is_sqlite:
                self._driver.text_factory = before

    def _of_postgres(self, statement: str, values: Sequence[Any]) -> Iterator[list[Row]]:
        try:
            with self._driver.cursor(name=f"scan_{next(self._numbers)}") as cursor:
                cursor.execute(_for_psycopg(statement), values, binary=True)
                while rows := cursor.fetchmany(ROWS_AT_ONCE):
                    yield rows
        except self._errors.Error as error:
            raise DatabaseUnavailableError from error

    def _of_sqlite(self, statement: str, values: Sequence[Any]) -> Iterator[list[Row]]:
        """As long as all text is text nothing is paid for what is none: a chunk with such a row is read again."""
        given = 0
        try:
            cursor = self._driver.execute(statement, values)
            while True:
                try:
                    rows = cursor.fetchmany(ROWS_AT_ONCE)
                except self._errors.OperationalError:
                    with self.any_text():
                        again = self._driver.execute(f"{statement} LIMIT {ROWS_AT_ONCE} OFFSET {given}", values)
                        rows = again.fetchall()
                    cursor = self._driver.execute(f"{statement} LIMIT -1 OFFSET {given + len(rows)}", values)
                if not rows:
                    return
                given += len(rows)
                yield rows
        except self._errors.Error as error:
            raise DatabaseUnavailableError from error


def _for_psycopg(statement: str) -> str:
    return statement.replace("%", "%%").replace("?", "%s")


def _surrogated(data: bytes) -> str:
    return data.decode(errors="surrogateescape")
