"""Checkpoints in the database: the documents of all, and the accounts' heads of the newest few.

Every statement is here for both databases. Not here: collecting and signing heads (`create`), and comparing them with
the ledger (`compare`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, text

from sixpence.core.errors import BrokenLedgerError, InvalidInputError
from sixpence.core.proof.checkpoint import Checkpoint, Head, read_checkpoint, unpack_heads, write_checkpoint
from sixpence.core.values.instant import from_wire
from sixpence.ledger.database.tables import checkpoint_heads, checkpoints, credit_accounts

# Only the newest checkpoints have stored heads; older ones have their documents only.
CHECKPOINTS_WITH_HEADS_MAX = 4
ACCOUNTS_AT_ONCE = 1_000

_SELECT_HASHES = {
    "sqlite": text(
        """
        SELECT t.account_no, t.hash FROM json_each(:places) AS p CROSS JOIN credit_transactions AS t
        WHERE t.account_no = json_extract(p.value, '$[0]') AND t.seq = json_extract(p.value, '$[1]')
        """
    ),
    # OFFSET 0 forces one index look-up for each place.
    "postgresql": text(
        """
        SELECT t.account_no, t.hash FROM json_array_elements(CAST(:places AS json)) AS p
        CROSS JOIN LATERAL (
            SELECT c.account_no, c.hash FROM credit_transactions AS c
            WHERE c.account_no = (p ->> 0)::bigint AND c.seq = (p ->> 1)::bigint OFFSET 0
        ) AS t
        """
    ),
}


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """Up to `HEADS_PER_CHUNK` packed heads in the order of the accounts' numbers, and the root over them."""

    chunk: int
    first_account_no: int
    root: bytes
    heads: bytes


class StoredHead(msgspec.Struct, frozen=True):
    """An account's head, its `place` among the `heads` of its chunk, and the roots of all chunks."""

    head: Head
    place: int
    chunk: int
    heads: bytes
    roots: list[bytes]


def find_checkpoint(connection: Connection, number: int | None = None) -> Checkpoint | None:
    """The checkpoint with that number, by default the newest; None if it does not exist."""
    columns = checkpoints.c
    query = select(columns.number, columns.document).order_by(columns.number.desc()).limit(1)
    row = connection.execute(query if number is None else query.where(columns.number == number)).first()
    return None if row is None else _document(*row)


def list_documents(connection: Connection) -> Iterator[tuple[int, int, str]]:
    """Stream the number, the instant and the document of every checkpoint as stored, oldest first."""
    columns = checkpoints.c
    query = select(columns.number, columns.made_at, columns.document).order_by(columns.number)
    for row in connection.execute(query.execution_options(yield_per=100)):
        yield row.number, row.made_at, row.document


def list_numbers_with_heads(connection: Connection) -> list[int]:
    """The numbers of the checkpoints that have stored heads, newest first."""
    columns = checkpoint_heads.c
    query = select(columns.number).join(checkpoints, checkpoints.c.number == columns.number)
    return list(connection.scalars(query.distinct().order_by(columns.number.desc())))


def list_chunks(connection: Connection, number: int) -> Iterator[Chunk]:
    """Stream the chunks of a checkpoint's heads as stored."""
    columns = checkpoint_heads.c
    query = select(columns.chunk, columns.first_account_no, columns.root, columns.heads)
    query = query.where(columns.number == number).order_by(columns.chunk)
    for row in connection.execute(query.execution_options(yield_per=1)):
        yield Chunk(row.chunk, row.first_account_no, _bytes(row.root), _bytes(row.heads))


def find_head(connection: Connection, number: int, account_no: int) -> StoredHead | None:
    """An account's head in that checkpoint; None if it is not stored, or the account was not covered."""
    columns = checkpoint_heads.c
    mine = columns.number == number
    holding = select(columns.chunk, columns.heads).where(mine, columns.first_account_no <= account_no)
    row = connection.execute(holding.order_by(columns.chunk.desc()).limit(1)).first()
    if row is None:
        return None
    heads = unpack_heads(bytes(row.heads))
    place = next((place for place, head in enumerate(heads) if head.account_no == account_no), None)
    if place is None:
        return None
    roots = [bytes(root) for root in connection.scalars(select(columns.root).where(mine).order_by(columns.chunk))]
    return StoredHead(heads[place], place, row.chunk, bytes(row.heads), roots)


def find_hashes(connection: Connection, heads: Sequence[Head]) -> dict[int, bytes]:
    """The hashes of the transactions at the places of these heads, by the account's number."""
    places = msgspec.json.encode([(head.account_no, head.seq) for head in heads]).decode()
    found = connection.execute(_SELECT_HASHES[connection.dialect.name], {"places": places})
    return {number: _bytes(hashed) for number, hashed in found}


def list_heads(connection: Connection) -> Iterator[tuple[int, int, bytes | None]]:
    """Stream the number, the `seq` and the head of every account that has transactions, by number."""
    columns = credit_accounts.c
    query = select(columns.account_no, columns.seq, columns.head).where(columns.seq > 0).order_by(columns.account_no)
    for row in connection.execute(query.execution_options(yield_per=ACCOUNTS_AT_ONCE)):
        yield row.account_no, row.seq, row.head


def delete_unfinished_heads(connection: Connection, number: int) -> None:
    """Delete the heads that an interrupted creation of this checkpoint has left."""
    connection.execute(delete(checkpoint_heads).where(checkpoint_heads.c.number == number))


def insert_chunk(connection: Connection, number: int, chunk: Chunk) -> None:
    """Insert a chunk of heads of a checkpoint that is being created."""
    connection.execute(insert(checkpoint_heads), [{"number": number, **msgspec.structs.asdict(chunk)}])


def insert_checkpoint(connection: Connection, checkpoint: Checkpoint, roots: Sequence[bytes]) -> bool:
    """Insert a checkpoint whose heads are stored, and delete the heads of older ones; False if the stored heads differ.

    Raises SQLAlchemy's `IntegrityError` if a checkpoint with this number exists.
    """
    columns = checkpoint_heads.c
    stored_roots = select(columns.root).where(columns.number == checkpoint.number).order_by(columns.chunk)
    if [bytes(root) for root in connection.scalars(stored_roots)] != list(roots):
        return False
    made_at = from_wire("made_at", checkpoint.made_at)
    row = {"number": checkpoint.number, "made_at": made_at, "document": write_checkpoint(checkpoint)}
    connection.execute(insert(checkpoints), [row])
    connection.execute(delete(checkpoint_heads).where(columns.number <= checkpoint.number - CHECKPOINTS_WITH_HEADS_MAX))
    return True


def _bytes(value: Any) -> bytes:
    """The bytes. SQLite stores any value in any column; other values become bytes that are no valid hash or heads."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b"?"


def _document(number: int, document: str) -> Checkpoint:
    try:
        return read_checkpoint(document)
    except InvalidInputError as error:
        raise BrokenLedgerError(f"checkpoint {number} {error.problem}") from error
