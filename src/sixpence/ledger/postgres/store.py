"""The store over PostgreSQL: a batch is two round trips of one pipeline, locked first and read in later statements.

Under READ COMMITTED the locked row comes back fresh, and each later statement sees what the awaited session committed.
What the round trips ask stands in `postgres_batch`.
"""

from collections.abc import Callable

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres import batch, statements
from sixpence.ledger.postgres.batch import as_array, as_bytea, as_json
from sixpence.ledger.postgres.pipeline import Pipeline
from sixpence.ledger.postgres.statements import Call
from sixpence.ledger.writer.store import (
    Append,
    Asked,
    ConnectionLostError,
    ContendedError,
    Loaded,
    LockWaitError,
    RowRejectedError,
)

# How long a batch waits for an account that another session holds before it goes on without it.
LOCK_WAIT = "50ms"

# The writer knows its plans: an index look-up for each row, whatever the statistics of a young table say.
_SESSION = " ".join(
    f"-c {setting}"
    for setting in (
        f"lock_timeout={LOCK_WAIT}",
        "enable_seqscan=off",
        "enable_hashjoin=off",
        "enable_mergejoin=off",
        "jit=off",
        "application_name=sixpence-writer",
    )
)


def connect(conninfo: str, *, unsafe_durability: bool = False) -> psycopg.Connection:
    """A connection that writes; raises `DatabaseSetupError` when the server would acknowledge before it is durable."""
    # Options of the caller's own, such as a schema to work in, stand before ours.
    options = f"{conninfo_to_dict(conninfo).get('options') or ''} {_SESSION}"
    connection = psycopg.connect(
        conninfo, autocommit=True, connect_timeout=3, options=options, tcp_user_timeout=10_000, keepalives_idle=10
    )
    unsafe = [name for name in ("fsync", "synchronous_commit") if _setting(connection, name) == "off"]
    if unsafe and not unsafe_durability:
        connection.close()
        problem = f"PostgreSQL runs with {' and '.join(unsafe)} off: it acknowledges what a crash can lose."
        raise DatabaseSetupError(problem, "Turn it on, or set SIXPENCE_UNSAFE_DURABILITY=yes to accept that.")
    return connection


class PostgresStore:
    """A batch on PostgreSQL. `clock` takes the place of the server's own clock where a caller moves time."""

    def __init__(
        self, conninfo: str, *, clock: Callable[[], int] | None = None, unsafe_durability: bool = False
    ) -> None:
        self._conninfo = conninfo
        self._clock = clock
        self._unsafe_durability = unsafe_durability
        self._catalogs = CatalogCache()
        self._connection: psycopg.Connection | None = None
        self._pipeline: Pipeline | None = None

    def check(self) -> None:
        """Connect now, so that a server that cannot be trusted is refused at the start."""
        try:
            self._open()
        except psycopg.Error as error:
            raise DatabaseUnavailableError from error

    def load(self, asked: Asked) -> Loaded:
        """Begin, make, lock, and read the clock, the catalog's version and the keys: one round trip."""
        try:
            return batch.load(self._open(), asked, begin=_begin(asked), catalogs=self._catalogs, clock=self._clock)
        except (errors.LockNotAvailable, errors.QueryCanceled) as error:
            raise LockWaitError(str(error)) from error
        except (errors.DeadlockDetected, errors.SerializationFailure) as error:
            raise ContendedError(str(error)) from error
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error

    def append(self, append: Append) -> None:
        """Write the batch and commit it: one round trip."""
        try:
            self._open().run(*batch.writing(append), (statements.COMMIT, ()))
        except (errors.DeadlockDetected, errors.SerializationFailure) as error:
            raise ContendedError(str(error)) from error
        except (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError) as error:
            raise RowRejectedError(str(error)) from error
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error

    def abandon(self) -> None:
        """Undo what was begun; a connection that cannot even do that is given up."""
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error:
                self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Lock the account again on a new connection, which waits for the old transaction to end, and look.

        An account that the old transaction made cannot be seen and so not be locked: making it again waits for it too.
        """
        self.close()
        made = [{"account_no": row.account_no, "account_id": row.account_id}]
        try:
            *_, found, _ = self._open().run(
                (statements.BEGIN, ()),
                (statements.SETTLE_PATIENTLY, ()),
                (statements.MAKE, (as_json(made),)),
                (statements.LOCK, (as_array([row.account_no]),)),
                (statements.COMMITTED, (str(row.account_no), str(row.seq), as_bytea(row.hash))),
                (statements.ROLLBACK, ()),
            )
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error
        return bool(found)

    def close(self) -> None:
        """Close the connection; the server undoes what was not committed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._pipeline = None

    def _open(self) -> Pipeline:
        if self._connection is None or self._pipeline is None or self._connection.closed:
            self._connection = connect(self._conninfo, unsafe_durability=self._unsafe_durability)
            self._pipeline = Pipeline(self._connection)
        return self._pipeline


def _begin(asked: Asked) -> list[Call]:
    begin: list[Call] = [(statements.BEGIN, ())]
    return begin if asked.wait else [*begin, (statements.LOCK_BRIEFLY, ())]


def _setting(connection: psycopg.Connection, name: str) -> str:
    return str(connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchall()[0][0])
