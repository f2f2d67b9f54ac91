"""Telling a call that was forgotten to be part of a transaction from one that is meant to stand alone.

Inside `credits.transaction()` a change without its `connection` would not stand or fall with it. On SQLite it would
even wait for the block to end, which waits for it. Not here: transactions that a caller begins elsewhere, of which
nobody knows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sixpence.core.errors import InvalidInputError
from sixpence.ledger.ledger import Ledger


class _Block:
    """A block of `credits.transaction()`; contexts that were copied inside it know when it is over."""

    __slots__ = ("ledger", "open", "outer")

    def __init__(self, ledger: Ledger, outer: "_Block | None") -> None:
        self.ledger = ledger
        self.outer = outer
        self.open = True

    def holds(self, ledger: Ledger) -> bool:
        """Whether this block, or one around it, is an open one of the ledger's."""
        block: _Block | None = self
        while block is not None:
            if block.open and block.ledger is ledger:
                return True
            block = block.outer
        return False


_block: ContextVar[_Block | None] = ContextVar("sixpence_transaction", default=None)


@contextmanager
def inside(ledger: Ledger) -> Iterator[None]:
    """Whatever runs in this block is inside a transaction of the ledger's."""
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


def check_outside(ledger: Ledger) -> None:
    """Raise `InvalidInputError` inside a transaction of the ledger's."""
    block = _block.get()
    if block is not None and block.holds(ledger):
        raise InvalidInputError(
            "connection",
            "is missing inside credits.transaction(). Send the block's connection, or ask before or after it.",
        )
