"""Verification of the whole ledger: verify it, make a signed checkpoint of it, get a checkpoint."""

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


class ProofOperations(Operations):
    """The operations that verify and sign the ledger; they change no account."""

    async def verify(self, *, decide: bool = False) -> "Report":
        """Folds every account's ledger again and compares it with the stored state, on a snapshot; batches continue.

        With `decide` the rules also decide every transaction again. It uses one core until it ends: for a large ledger
        `sixpence verify` does the same in its own process.
        """
        from sixpence.ledger.verify.verify import verify  # slow to import, and used by this operation only

        return await self._read(partial(verify, decide=decide))

    async def make_checkpoint(self, signing_key: SigningKey) -> Checkpoint:
        """Signs the current head of every account's chain and stores the checkpoint; batches continue meanwhile.

        Keep a copy elsewhere: someone who can write to the database can also replace the stored checkpoint. Raises
        `CheckpointRefusedError` if the ledger contradicts the previous checkpoint.
        """
        _check_key(signing_key)
        with SpooledTemporaryFile(max_size=create.SPOOL_BYTES_MAX) as spool:
            taken = await self._read(
                lambda connection: create.collect_heads(connection, spool, now=self._ledger.now(connection))
            )
            checkpoint = taken.sign(signing_key)
            await self._write(partial(storage.delete_unfinished_heads, number=taken.number))
            for chunk in range(len(taken.roots)):
                await self._write(partial(create.store_chunk, taken=taken, chunk=chunk, spool=spool))
            await self._write(partial(create.store_checkpoint, taken=taken, checkpoint=checkpoint))
        return checkpoint

    async def get_checkpoint(self, number: int | None = None) -> Checkpoint:
        """The checkpoint with this number, by default the newest; raises `CheckpointNotFoundError`."""
        number = fields.optional_amount("number", number, least=1)
        found = await self._read(lambda connection: storage.find_checkpoint(connection, number))
        if found is None:
            raise CheckpointNotFoundError(number)
        return found


def _check_key(value: object) -> None:
    if not isinstance(value, SigningKey):
        problem = f"a {type(value).__name__} is not a SigningKey. Send one: SigningKey.kept('signing_key')."
        raise InvalidInputError("signing_key", problem)
