"""The port to the database: a job runs in one transaction. The ledger implements it on SQLite and on PostgreSQL.

Not here: any connection, any SQL.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """The database of users, sessions and keys.

    Jobs must be short: on SQLite they run between the batches of the one writer.
    """

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Runs the job in one write transaction and commits it; an exception of the job rolls back and is raised."""
        ...

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Runs the job, which is one statement, on a connection that may be read-only."""
        ...
