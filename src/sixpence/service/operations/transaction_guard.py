"""Refuses a change inside `credits.transaction()` that was sent without the block's connection.

Such a change would neither commit nor roll back with the block. On SQLite it would even wait for the block to end,
which waits for the change. Not here: transactions that a caller begins elsewhere, which the service cannot see.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.ledger import Ledger


class _Block:
    """A block of `credits.transaction()`. Contexts copied inside it see when it has ended."""

    __slots__ = ("ledger", "open", "outer")

    def __init__(self, ledger: Ledger, outer: "_Block | None") -> None:
        self.ledger = ledger
        self.outer = outer
        self.open = True

    def is_open_for(self, ledger: Ledger) -> bool:
        """Whether this block, or one around it, is an open one of the ledger."""
        block: _Block | None = self
        while block is not None:
            if block.open and block.ledger is ledger:
                return True
            block = block.outer
        return False


_block: ContextVar[_Block | None] = ContextVar("sixpence_transaction", default=None)


@contextmanager
def transaction_block(ledger: Ledger) -> Iterator[None]:
    """Marks what runs in this `with` block as inside a transaction of the ledger."""
    outer = _block.get()
    while outer is not None and not outer.open:
        outer = outer.outer
    block = _Block(ledger, outer)
    # Not reset by a token: a framework may end the block in another context than it began in.
    _block.set(block)
    try:
        yield
    finally:
        block.open = False


def refuse_in_transaction(ledger: Ledger) -> None:
    """Raises `InvalidInputError` inside a transaction of the ledger."""
    block = _block.get()
    if block is not None and block.is_open_for(ledger):
        raise InvalidInputError(
            "connection",
            "is missing inside credits.transaction(). Send the block's connection, or call before or after the block.",
        )
