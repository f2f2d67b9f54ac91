"""Proving the ledger from Python: what `sixpence verify` says, as values."""

from functools import partial
from typing import TYPE_CHECKING

from sixpence.service.operations import Operations

if TYPE_CHECKING:
    from sixpence.ledger.verify.verify import Report


class Proving(Operations):
    """The proof of the whole ledger; it changes nothing."""

    async def verify(self, *, decide: bool = False) -> "Report":
        """Fold every account's ledger anew and compare it with what stands there, on a snapshot; batches go on.

        With `decide` every transaction is also decided anew by the rules. It takes a core for as long as it runs: of a
        large ledger `sixpence verify` does the same in a process of its own.
        """
        from sixpence.ledger.verify.verify import verify  # no other operation needs all of this

        return await self._read(partial(verify, decide=decide))
