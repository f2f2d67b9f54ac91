"""One view of the whole database for as long as it is looked at, whatever is written meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """Read as of one moment on a connection of a reading engine, where each statement otherwise stands for itself."""
    begin = "BEGIN" if connection.dialect.name == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    connection.execute(text(begin))
    try:
        yield
    finally:
        connection.execute(text("ROLLBACK"))
