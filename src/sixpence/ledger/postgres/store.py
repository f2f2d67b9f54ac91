"""The store over PostgreSQL: a batch is two round trips of a pipeline, locking first and reading in later statements.

Under READ COMMITTED a row is locked at its newest version, and each later statement sees what the awaited session
committed. Not here: the statements of the round trips (`batch`).
"""

from collections.abc import Callable

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from sixpence.core.account.transaction import Transaction
from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres import batch, statements
from sixpence.ledger.postgres.batch import to_array, to_bytea, to_json
from sixpence.ledger.postgres.errors import to_store_error
from sixpence.ledger.postgres.pipeline import Pipeline
from sixpence.ledger.postgres.statements import Call
from sixpence.ledger.writer.store import (
    Append,
    BatchNeeds,
    ConnectionLostError,
    Loaded,
    LockTimeoutError,
    RowRejectedError,
)

# How long a batch waits for an account that another session holds before it continues without it.
LOCK_WAIT = "50ms"

# Each statement looks its rows up by index, also while the statistics of a new table suggest another plan.
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
    """A connection for writing; raises `DatabaseSetupError` for a server whose commits are not durable."""
    # The URL's own options, such as a search path, come first.
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
    """A worker's store on PostgreSQL. `clock` (microseconds) replaces the server's clock."""

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
        """Connect now, so that an unsafe server is refused at the start."""
        try:
            self._open()
        except psycopg.Error as error:
            raise DatabaseUnavailableError from error

    def load(self, needs: BatchNeeds) -> Loaded:
        """Begin, create accounts, lock, and read the clock, the catalog's version and the keys: one round trip."""
        try:
            return batch.load(self._open(), needs, begin=_begin(needs), catalogs=self._catalogs, clock=self._clock)
        except psycopg.Error as error:
            raise to_store_error(error, error.sqlstate, unless=RowRejectedError) from error

    def append(self, append: Append) -> None:
        """Write the batch and commit it: one round trip."""
        try:
            self._open().run(*batch.write_calls(append), (statements.COMMIT, ()))
        except psycopg.Error as error:
            raise to_store_error(error, error.sqlstate, unless=LockTimeoutError) from error

    def roll_back(self) -> None:
        """Roll back an open transaction; closes a connection that cannot."""
        if self._connection is not None:
            try:
                self._connection.rollback()
            except psycopg.Error:
                self.close()

    def was_committed(self, row: Transaction) -> bool:
        """Lock the account on a new connection, which waits for the old transaction to end, and read.

        An account that the old transaction created is invisible until it commits, so it cannot be locked: creating it
        again waits for that transaction, too.
        """
        self.close()
        account = [{"account_no": row.account_no, "account_id": row.account_id}]
        try:
            *_, found, _ = self._open().run(
                (statements.BEGIN, ()),
                (statements.LONG_LOCK_TIMEOUT, ()),
                (statements.CREATE_ACCOUNTS, (to_json(account),)),
                (statements.LOCK_ACCOUNTS, (to_array([row.account_no]),)),
                (statements.FIND_COMMITTED, (str(row.account_no), str(row.seq), to_bytea(row.hash))),
                (statements.ROLLBACK, ()),
            )
        except psycopg.Error as error:
            raise ConnectionLostError(str(error)) from error
        return bool(found)

    def close(self) -> None:
        """Close the connection; the server rolls back an open transaction."""
        if self._connection is not None:
            self._connection.close()
            self._connection = self._pipeline = None

    def _open(self) -> Pipeline:
        if self._connection is None or self._pipeline is None or self._connection.closed:
            self._connection = connect(self._conninfo, unsafe_durability=self._unsafe_durability)
            self._pipeline = Pipeline(self._connection)
        return self._pipeline


def _begin(needs: BatchNeeds) -> list[Call]:
    begin: list[Call] = [(statements.BEGIN, ())]
    return begin if needs.wait else [*begin, (statements.SHORT_LOCK_TIMEOUT, ())]


def _setting(connection: psycopg.Connection, name: str) -> str:
    return str(connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchall()[0][0])
