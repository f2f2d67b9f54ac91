"""Signed checkpoints: making one over the whole ledger, and showing those that were made."""

from functools import partial
from tempfile import SpooledTemporaryFile

from sixpence.core.errors import CheckpointNotFoundError, InvalidInputError
from sixpence.core.proof.checkpoint import Checkpoint
from sixpence.ledger.checkpoints import create, storage
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.service import fields
from sixpence.service.operations import Operations


class Checkpoints(Operations):
    """The operations on checkpoints; they change no account."""

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
