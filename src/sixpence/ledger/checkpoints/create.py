"""Making a checkpoint: every account's head as of one moment, and the document to be signed over them.

The heads are read in one snapshot, which delays nobody, and written some thousand at a time in transactions of their
own; the document comes last and makes them count. However many accounts there are, only some are in memory at once.
"""

import struct
from collections.abc import Iterator
from typing import IO

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from sixpence.core.errors import CheckpointRefusedError
from sixpence.core.proof import merkle
from sixpence.core.proof.checkpoint import (
    FORMAT,
    HEAD_BYTES,
    HEADS_PER_CHUNK,
    NO_PREVIOUS,
    Checkpoint,
    Head,
    leaf_hashes,
    pack_head,
    unpack_heads,
)
from sixpence.core.values.instant import to_wire
from sixpence.ledger.checkpoints import storage
from sixpence.ledger.checkpoints.compare import differences_from
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.ledger.checkpoints.storage import Chunk
from sixpence.ledger.database.snapshot import snapshot

# Beyond it the heads wait in a file.
SPOOL_BYTES_MAX = 8 * 1024 * 1024
CHUNK_BYTES = HEADS_PER_CHUNK * HEAD_BYTES


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Heads that were taken: what the document will say of them, and the root over each chunk."""

    number: int
    made_at: int
    accounts: int
    transactions: int
    previous: str
    roots: list[bytes]

    def signed(self, key: SigningKey) -> Checkpoint:
        """The checkpoint over these heads."""
        unsigned = Checkpoint(
            format=FORMAT,
            number=self.number,
            made_at=to_wire(self.made_at),
            accounts=self.accounts,
            transactions=self.transactions,
            root=merkle.root_of(self.roots).hex(),
            previous=self.previous,
            public_key=key.public_key,
            signature="",
        )
        return msgspec.structs.replace(unsigned, signature=key.sign(unsigned.signed_bytes()))


def take(connection: Connection, spool: IO[bytes], *, now: int) -> Taken:
    """Write every account's head to the spool as of one moment.

    Raises `CheckpointRefusedError` where the ledger is not what the newest checkpoint says that it was.
    """
    with snapshot(connection):
        newest = storage.find_checkpoint(connection)
        told = [] if newest is None else differences_from(connection, newest, most=1)
        if told:
            raise CheckpointRefusedError(f"{told[0]}.")
        accounts, transactions, roots = 0, 0, []
        for heads in _in_chunks(connection):
            packed = b"".join(map(_packed, heads))
            spool.write(packed)
            roots.append(merkle.root_of(leaf_hashes(packed)))
            accounts += len(heads)
            transactions += sum(head.seq for head in heads)
    return Taken(
        number=1 if newest is None else newest.number + 1,
        made_at=now,
        accounts=accounts,
        transactions=transactions,
        previous=NO_PREVIOUS if newest is None else newest.digest(),
        roots=roots,
    )


def keep_chunk(connection: Connection, taken: Taken, chunk: int, spool: IO[bytes]) -> None:
    """Keep the heads of one chunk, from 0; raises `CheckpointRefusedError` where another is being made meanwhile."""
    spool.seek(chunk * CHUNK_BYTES)
    packed = spool.read(CHUNK_BYTES)
    first = unpack_heads(packed[:HEAD_BYTES])[0].account_no
    try:
        storage.keep_chunk(connection, taken.number, Chunk(chunk, first, taken.roots[chunk], packed))
    except IntegrityError as error:
        raise _made_meanwhile(taken) from error


def keep(connection: Connection, taken: Taken, checkpoint: Checkpoint) -> None:
    """Keep the document, whose heads are kept; raises `CheckpointRefusedError` where another was made meanwhile."""
    try:
        kept = storage.keep(connection, checkpoint, taken.roots)
    except IntegrityError as error:
        raise _made_meanwhile(taken) from error
    if not kept:
        raise _made_meanwhile(taken)


def _made_meanwhile(taken: Taken) -> CheckpointRefusedError:
    return CheckpointRefusedError(f"checkpoint {taken.number} was being made by somebody else at the same time.")


def _in_chunks(connection: Connection) -> Iterator[list[Head]]:
    heads = []
    for number, seq, head in storage.list_heads(connection):
        heads.append(Head(number, seq, b"" if head is None else bytes(head)))
        if len(heads) == HEADS_PER_CHUNK:
            yield heads
            heads = []
    if heads:
        yield heads


def _packed(head: Head) -> bytes:
    # SQLite keeps any value in any column, and a chain that is cut short would be signed as it is.
    try:
        packed = pack_head(head)
    except (struct.error, TypeError):
        packed = b""
    if not packed or len(head.hash) != 32:
        raise CheckpointRefusedError(f"account number {head.account_no!r:.40} has a head that is none.")
    return packed
