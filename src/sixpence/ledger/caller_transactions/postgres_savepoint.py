"""A part of a caller's transaction on PostgreSQL: a savepoint takes the place of BEGIN, and its release that of COMMIT.

Lives here: what the server is asked of the transaction before anything is locked, the bound on the wait for locks, and
what each SQLSTATE means. Not here: what is read and written (`postgres_batch`), and in whose placeholders (`sessions`).
"""

from collections.abc import Callable
from contextlib import suppress

from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.caller_transactions.accepted_connections import refused
from sixpence.ledger.caller_transactions.postgres_session import StatementFailedError
from sixpence.ledger.database.catalogs import CatalogCache
from sixpence.ledger.postgres import batch
from sixpence.ledger.postgres.batch import Session
from sixpence.ledger.postgres.statements import Call, Row
from sixpence.ledger.writer.store import (
    Append,
    Asked,
    ConnectionLostError,
    ContendedError,
    Loaded,
    LockWaitError,
    RowRejectedError,
)

_TABLES = (
    "credit_accounts",
    "credit_transactions",
    "credit_holds",
    "outbox",
    "catalog_versions",
    "auth_api_keys",
)
# Which tables a command would use: of which server, in which of its databases and schemas. Each of them by itself: a
# table of the caller's, a temporary one too, may come before one of them alone.
IDENTITY = f"""
    (SELECT system_identifier FROM pg_control_system()),
    (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
    {", ".join(f"to_regclass('{table}')::oid::bigint" for table in _TABLES)}
"""
# Columns are worked out from left to right: what the caller had set comes before what is set now. A shorter wait that
# the caller asked for stays as it is.
_ENTER = f"""
    SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only'),
           current_setting('lock_timeout'),
           set_config('lock_timeout', CASE
               WHEN current_setting('lock_timeout')::interval > interval '0'
                AND current_setting('lock_timeout')::interval < $1::interval THEN current_setting('lock_timeout')
               ELSE $1 END, true),
           {IDENTITY}
"""
_WAIT_AS_BEFORE = "SELECT set_config('lock_timeout', $1, true)"
_BEGIN = "SAVEPOINT sixpence"
_KEEP = "RELEASE SAVEPOINT sixpence"
_UNDO = "ROLLBACK TO SAVEPOINT sixpence"

_BUSY = ("55P03", "57014")  # the lock's wait is over; the statement's time is
_CONTENDED = ("40P01", "40001")
_NO_TRANSACTION = "25P01"
_FAILED_BEFORE = "25P02"
# Classes of states that say that a statement or its values are at fault.
_REJECTED = ("22", "23", "42")


class Savepoint:
    """One command's part of a transaction under READ COMMITTED, with a bounded wait (seconds) for its account.

    `identity` is where the credits are; another database, or another schema, is refused.
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
        self._wait = f"{max(1, round(wait_seconds_max * 1000))}ms"
        self._wait_before = ""
        self._begun = False

    def load(self, asked: Asked) -> Loaded:
        """Begin, look at the transaction, then lock and read as every batch does."""
        try:
            self._enter()
            return batch.load(self._session, asked, begin=(), catalogs=self._catalogs, clock=self._clock)
        except StatementFailedError as failed:
            raise _meant_by(failed) from failed

    def append(self, append: Append) -> None:
        """Write, wait for locks as long as before, and leave what was written to the caller's transaction."""
        end: list[Call] = [(_WAIT_AS_BEFORE, (self._wait_before,)), (_KEEP, ())]
        try:
            self._session.run(*batch.writing(append), *end)
        except StatementFailedError as failed:
            raise _meant_by(failed) from failed

    def abandon(self) -> None:
        """Undo what was begun, the setting and the locks with it."""
        if self._begun:
            # A transaction that is over, or a connection that is gone, has nothing left to undo.
            with suppress(StatementFailedError):
                self._session.run((_UNDO, ()), (_KEEP, ()))

    def _enter(self) -> None:
        self._session.run((_BEGIN, ()))
        self._begun = True
        isolation, read_only, wait, _, *identity = self._session.run((_ENTER, (self._wait,)))[0][0]
        self._wait_before = wait
        if isolation not in ("read committed", "read uncommitted"):
            raise refused(
                f"is in a transaction at {isolation.upper()}, whose snapshot may be older than the lock on the account."
                " Begin it at READ COMMITTED."
            )
        if read_only == "on":
            raise refused("is in a transaction that only reads. Begin one that may write.")
        if tuple(identity) != self._identity:
            raise refused("leads to another database or schema than the credits. Connect it to the one they are in.")


def _meant_by(failed: StatementFailedError) -> Exception:
    """What the lane would make of it, or what the caller's transaction lacks."""
    state = failed.sqlstate or ""
    if state == _NO_TRANSACTION:
        return refused("is in no transaction: it commits every statement. Begin one, for instance engine.begin().")
    if state == _FAILED_BEFORE:
        return refused("is in a transaction that failed before. Roll it back and begin another.")
    if state == "42501":
        return DatabaseSetupError(
            "The connection's database role may not use Sixpence's tables.",
            "Grant it SELECT, INSERT, UPDATE and DELETE on them.",
        )
    if state in _BUSY:
        return LockWaitError(str(failed))
    if state in _CONTENDED:
        return ContendedError(str(failed))
    if state[:2] in _REJECTED:
        return RowRejectedError(str(failed))
    return ConnectionLostError(str(failed))
