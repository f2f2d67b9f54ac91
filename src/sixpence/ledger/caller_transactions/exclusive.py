"""One command at a time on a caller's connection: a second one would end the savepoint of the first.

Not here: the caller's own statements, which are not limited, and borrowed SQLite connections (`sqlite_borrowed`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sixpence.ledger.caller_transactions.accepted_connections import connection_error

_in_use_lock = threading.Lock()
# Connections by `id()`, which is unique while the command holds the connection.
_in_use: set[int] = set()


@contextmanager
def exclusive_use(connection: object) -> Iterator[None]:
    """Hold the driver's connection for one command; raises `InvalidInputError` while another command holds it.

    It refuses instead of waiting: on an event loop both commands may run on the thread that would wait.
    """
    with _in_use_lock:
        if id(connection) in _in_use:
            raise connection_error(
                "is used by another call at this moment. Make the calls of one transaction one at a time."
            )
        _in_use.add(id(connection))
    try:
        yield
    finally:
        with _in_use_lock:
            _in_use.discard(id(connection))
