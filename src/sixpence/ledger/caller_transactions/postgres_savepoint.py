"""A savepoint in a caller's transaction on PostgreSQL: it replaces BEGIN, and its release replaces COMMIT.

Before it locks, it checks the transaction's isolation, database and schema, and bounds the wait for locks. Not here:
the reads and writes (`postgres.batch`), the placeholders of drivers (`postgres_session`) and other SQLSTATEs
(`postgres.errors`).
"""

from collections.abc import Callable
from contextlib import suppress

from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.caller_transactions.accepted_connections import connection_error
from sixpence.ledger.caller_transactions.postgres_session import StatementFailedError
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres import batch
from sixpence.ledger.postgres.batch import Session
from sixpence.ledger.postgres.errors import to_store_error
from sixpence.ledger.postgres.statements import Call, Row
from sixpence.ledger.writer.store import Append, BatchNeeds, Loaded

_TABLES = (
    "credit_accounts",
    "credit_transactions",
    "credit_holds",
    "outbox",
    "catalog_versions",
    "auth_api_keys",
)
# The server, the database, and each table that a command would use: a caller's table, also a temporary one, may hide a
# single one of them.
IDENTITY = f"""
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
    {", ".join(f"to_regclass('{table}')::oid::bigint" for table in _TABLES)}
"""
# Columns are evaluated from left to right: the caller's lock_timeout is read before it is set. A shorter timeout of the
# caller's stays.
_ENTER = f"""
    SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),
           current_setting('lock_timeout'),
           set_config('lock_timeout', CASE
               WHEN current_setting('lock_timeout')::interval > interval '0'
                AND current_setting('lock_timeout')::interval < $1::interval THEN current_setting('lock_timeout')
               ELSE $1 END, true),
           {IDENTITY}
"""
_RESTORE_LOCK_TIMEOUT = "SELECT set_config('lock_timeout', $1, true)"
_SAVEPOINT = "SAVEPOINT sixpence"
_RELEASE = "RELEASE SAVEPOINT sixpence"
_ROLL_BACK = "ROLLBACK TO SAVEPOINT sixpence"

_NO_TRANSACTION = "25P01"
_FAILED_TRANSACTION = "25P02"
_NO_PRIVILEGE = "42501"


class PostgresSavepoint:
    """One command's savepoint under READ COMMITTED, with a bounded wait (seconds) for its account's lock.

    `identity` names the server, database and tables of the credits; another database or schema is refused.
    """

    def __init__(
        self,
        session: Session,
        *,
        identity: Row,
        catalogs: CatalogCache,
        clock: Callable[[], int] | None,
        wait_seconds_max: float,
    ) -> None:
        self._session = session
        self._identity = identity
        self._catalogs = catalogs
        self._clock = clock
        self._lock_timeout = f"{max(1, round(wait_seconds_max * 1000))}ms"
        self._caller_lock_timeout = ""
        self._is_set = False

    def load(self, needs: BatchNeeds) -> Loaded:
        """Set the savepoint, check the transaction, then lock and read like every batch."""
        try:
            self._enter()
            return batch.load(self._session, needs, begin=(), catalogs=self._catalogs, clock=self._clock)
        except StatementFailedError as failed:
            raise _translate(failed) from failed

    def append(self, append: Append) -> None:
        """Write, restore the caller's lock_timeout, and release the savepoint."""
        end: list[Call] = [(_RESTORE_LOCK_TIMEOUT, (self._caller_lock_timeout,)), (_RELEASE, ())]
        try:
            self._session.run(*batch.write_calls(append), *end)
        except StatementFailedError as failed:
            raise _translate(failed) from failed

    def roll_back(self) -> None:
        """Roll back to the savepoint, which also restores lock_timeout and releases the locks."""
        if self._is_set:
            # An ended transaction or a lost connection has nothing to roll back.
            with suppress(StatementFailedError):
                self._session.run((_ROLL_BACK, ()), (_RELEASE, ()))

    def _enter(self) -> None:
        self._session.run((_SAVEPOINT, ()))
        self._is_set = True
        isolation, read_only, wait, _, *identity = self._session.run((_ENTER, (self._lock_timeout,)))[0][0]
        self._caller_lock_timeout = wait
        if isolation not in ("read committed", "read uncommitted"):
            raise connection_error(
                f"is in a transaction at {isolation.upper()}, whose snapshot may be older than the lock on the account."
                " Begin it at READ COMMITTED."
            )
        if read_only == "on":
            raise connection_error("is in a transaction that only reads. Begin one that may write.")
        if tuple(identity) != self._identity:
            raise connection_error(
                "leads to another database or schema than the credits. Connect it to the one they are in."
            )


def _translate(failed: StatementFailedError) -> Exception:
    """An error that tells the caller what is wrong with the transaction, or the store's error."""
    state = failed.sqlstate or ""
    if state == _NO_TRANSACTION:
        return connection_error(
            "is in no transaction: it commits every statement. Begin one, for instance engine.begin()."
        )
    if state == _FAILED_TRANSACTION:
        return connection_error("is in a transaction that failed before. Roll it back and begin another.")
    if state == _NO_PRIVILEGE:
        return DatabaseSetupError(
            "The connection's database role may not use Sixpence's tables.",
            "Grant it SELECT, INSERT, UPDATE and DELETE on them.",
        )
    return to_store_error(failed, failed.sqlstate)
