"""Creating a checkpoint: collect every account's head in one snapshot, sign a document over them, and store both.

The snapshot delays no writes. The heads are stored in chunks, each in its own transaction; the document comes last and
makes them valid. Memory does not grow with the number of accounts.
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
from sixpence.ledger.checkpoints.compare import list_differences
from sixpence.ledger.checkpoints.signing import SigningKey
from sixpence.ledger.checkpoints.storage import Chunk
from sixpence.ledger.database.snapshot import snapshot

# Beyond this size the heads are spooled to a file.
SPOOL_BYTES_MAX = 8 * 1024 * 1024
CHUNK_BYTES = HEADS_PER_CHUNK * HEAD_BYTES


class CollectedHeads(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a document that is not signed yet, and the root of each chunk of heads."""

    number: int
    made_at: int
    accounts: int
    transactions: int
    previous: str
    roots: list[bytes]

    def sign(self, key: SigningKey) -> Checkpoint:
        """The checkpoint over these heads, signed with the key."""
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


def collect_heads(connection: Connection, spool: IO[bytes], *, now: int) -> CollectedHeads:
    """Write every account's head to the spool, in one snapshot.

    Raises `CheckpointRefusedError` if the ledger differs from its newest checkpoint.
    """
    with snapshot(connection):
        newest = storage.find_checkpoint(connection)
        differences = [] if newest is None else list_differences(connection, newest, most=1)
        if differences:
            raise CheckpointRefusedError(f"{differences[0]}.")
        accounts, transactions, roots = 0, 0, []
        for heads in _stream_chunks(connection):
            packed = b"".join(map(_pack, heads))
            spool.write(packed)
            roots.append(merkle.root_of(leaf_hashes(packed)))
            accounts += len(heads)
            transactions += sum(head.seq for head in heads)
    return CollectedHeads(
        number=1 if newest is None else newest.number + 1,
        made_at=now,
        accounts=accounts,
        transactions=transactions,
        previous=NO_PREVIOUS if newest is None else newest.digest(),
        roots=roots,
    )


def store_chunk(connection: Connection, taken: CollectedHeads, chunk: int, spool: IO[bytes]) -> None:
    """Store the heads of one chunk, counted from 0.

    Raises `CheckpointRefusedError` if somebody else creates a checkpoint at the same time.
    """
    spool.seek(chunk * CHUNK_BYTES)
    packed = spool.read(CHUNK_BYTES)
    first = unpack_heads(packed[:HEAD_BYTES])[0].account_no
    try:
        storage.insert_chunk(connection, taken.number, Chunk(chunk, first, taken.roots[chunk], packed))
    except IntegrityError as error:
        raise _concurrent_error(taken) from error


def store_checkpoint(connection: Connection, taken: CollectedHeads, checkpoint: Checkpoint) -> None:
    """Store the document, after all its chunks; raises `CheckpointRefusedError` as `store_chunk` does."""
    try:
        stored = storage.insert_checkpoint(connection, checkpoint, taken.roots)
    except IntegrityError as error:
        raise _concurrent_error(taken) from error
    if not stored:
        raise _concurrent_error(taken)


def _concurrent_error(taken: CollectedHeads) -> CheckpointRefusedError:
    return CheckpointRefusedError(f"checkpoint {taken.number} was being made by somebody else at the same time.")


def _stream_chunks(connection: Connection) -> Iterator[list[Head]]:
    heads = []
    for number, seq, head in storage.list_heads(connection):
        heads.append(Head(number, seq, b"" if head is None else bytes(head)))
        if len(heads) == HEADS_PER_CHUNK:
            yield heads
            heads = []
    if heads:
        yield heads


def _pack(head: Head) -> bytes:
    # SQLite stores any value in any column, and a damaged hash must not be signed.
    try:
        packed = pack_head(head)
    except (struct.error, TypeError):
        packed = b""
    if not packed or len(head.hash) != 32:
        raise CheckpointRefusedError(f"account number {head.account_no!r:.40} has an invalid head.")
    return packed
