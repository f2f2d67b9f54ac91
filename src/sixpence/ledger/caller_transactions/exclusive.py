"""One command at a time on a caller's connection: a second one would end the savepoint of the first.

Not here: statements of the caller's own, which nobody counts, and a SQLite connection that is lent (`lent`).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sixpence.ledger.caller_transactions.accepted_connections import refused

_looking = threading.Lock()
# By identity, which cannot be another connection's for as long as the command holds it.
_used: set[int] = set()


@contextmanager
def alone_on(connection: object) -> Iterator[None]:
    """Have the driver's connection for one command; raises `InvalidInputError` while another one has it.

    It refuses and does not wait: on an event loop both commands may be in the one thread that would have to wait.
    """
    with _looking:
        if id(connection) in _used:
            raise refused("is used by another call at this moment. Make the calls of one transaction one at a time.")
        _used.add(id(connection))
    try:
        yield
    finally:
        with _looking:
            _used.discard(id(connection))
