"""The port to the database: a job runs in one transaction. The ledger implements it on SQLite and on PostgreSQL.

Not here: any connection, any SQL.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

T = TypeVar("T")


class Database(Protocol):
    """Where users, sessions and keys are kept.

    Jobs are short: on SQLite they run between the batches of the one writer.
    """

    async def write(self, job: Callable[[Connection], T]) -> T:
        """Run the job in one write transaction and commit it; what the job raises undoes it and is raised here."""
        ...

    async def read(self, job: Callable[[Connection], T]) -> T:
        """Run the job, one statement, on a connection that may be unable to write."""
        ...
