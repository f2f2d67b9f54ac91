"""SQLSTATEs to the errors of a store: for the writer's connection and for connections of callers.

Not here: states that tell a caller what is wrong with their transaction (`caller_transactions.postgres_savepoint`).
"""

from sixpence.ledger.writer.store import (
    ConnectionLostError,
    ContendedError,
    LockTimeoutError,
    RowRejectedError,
    StoreError,
)

_LOCK_TIMEOUT = ("55P03", "57014")  # lock_timeout, statement_timeout
_CONTENDED = ("40P01", "40001")  # deadlock, serialization failure
# Classes of states that blame a statement or its values: data, constraints, syntax and access, exceptions of triggers.
_REJECTED = ("10", "20", "21", "22", "23", "26", "34", "3D", "3F", "42", "44", "P0")


def to_store_error(error: Exception, sqlstate: str | None, *, unless: type[StoreError] | None = None) -> StoreError:
    """The store's error for a driver's error; without a known SQLSTATE the connection counts as lost.

    `unless` names a kind that the caller cannot handle at this point; it counts as a lost connection, too.
    """
    kind = _kind_of(sqlstate or "")
    return (ConnectionLostError if kind is unless else kind)(str(error))


def _kind_of(sqlstate: str) -> type[StoreError]:
    if sqlstate in _LOCK_TIMEOUT:
        return LockTimeoutError
    if sqlstate in _CONTENDED:
        return ContendedError
    if sqlstate[:2] in _REJECTED:
        return RowRejectedError
    return ConnectionLostError
