"""Proof of the whole ledger: verify it, sign a checkpoint over it, show the checkpoints that were made."""

from functools import partial
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from sixpence.core.errors import CheckpointNotFoundError, InvalidInputError
from sixpence.core.proof.checkpoint import Checkpoint
from sixpence.ledger.checkpoints import create, storage
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.service.operations.base import Operations
from sixpence.service.requests import fields

if TYPE_CHECKING:
    from sixpence.ledger.verify.verify import Report


class Verification(Operations):
    """The operations that prove the ledger; they change no account."""

    async def verify(self, *, decide: bool = False) -> "Report":
        """Fold every account's ledger again and compare it with the stored state, on a snapshot; batches continue.

        With `decide` the rules also decide every transaction again. It takes a core for as long as it runs: for a large
        ledger `sixpence verify` does the same in its own process.
        """
        from sixpence.ledger.verify.verify import verify  # no other operation needs all of this

        return await self._read(partial(verify, decide=decide))

    async def make_checkpoint(self, signing_key: SigningKey) -> Checkpoint:
        """Sign where every account's chain stands now, and keep that; batches go on meanwhile.

        Against somebody who can write to the database it shows something only from elsewhere: keep a copy. Raises
        `CheckpointRefusedError` where the ledger is not what the checkpoint before says that it was.
        """
        _check_key(signing_key)
        with SpooledTemporaryFile(max_size=create.SPOOL_BYTES_MAX) as spool:
            taken = await self._read(
                lambda connection: create.take(connection, spool, now=self._ledger.now(connection))
            )
            checkpoint = taken.signed(signing_key)
            await self._write(partial(storage.forget_unfinished, number=taken.number))
            for chunk in range(len(taken.roots)):
                await self._write(partial(create.keep_chunk, taken=taken, chunk=chunk, spool=spool))
            await self._write(partial(create.keep, taken=taken, checkpoint=checkpoint))
        return checkpoint

    async def get_checkpoint(self, number: int | None = None) -> Checkpoint:
        """The checkpoint of that number, by default the newest; raises `CheckpointNotFoundError`."""
        number = fields.optional_amount("number", number, least=1)
        found = await self._read(lambda connection: storage.find_checkpoint(connection, number))
        if found is None:
            raise CheckpointNotFoundError(number)
        return found


def _check_key(value: object) -> None:
    if not isinstance(value, SigningKey):
        problem = f"a {type(value).__name__} is no SigningKey. Take one: SigningKey.kept('signing_key')."
        raise InvalidInputError("signing_key", problem)
