"""A snapshot: many reads of one state of the database, unaffected by concurrent writes."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Read one snapshot on a reading engine's connection, where each statement is otherwise its own transaction."""
    begin = "BEGIN" if connection.dialect.name == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    connection.execute(text(begin))
    try:
        yield
    finally:
        connection.execute(text("ROLLBACK"))
