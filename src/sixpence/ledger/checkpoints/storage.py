"""Checkpoints in the database: their documents, and the accounts' heads under the newest of them.

Here are the statements, each once for both databases. Not here: taking the heads and signing them
(`checkpoint_making`), and comparing them with the ledger (`checkpoint_check`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, text

from sixpence.core.errors import BrokenLedgerError, InvalidInputError
from sixpence.core.proof.checkpoint import Checkpoint, Head, read_checkpoint, unpack_heads, write_checkpoint
from sixpence.core.values.instant import from_wire
from sixpence.ledger.database.tables import checkpoint_heads, checkpoints, credit_accounts

# So many checkpoints keep their heads; of older ones the documents are left.
KEPT = 4
ACCOUNTS_AT_ONCE = 1_000

_FOUND = {
    "sqlite": text(
        """
        SELECT t.account_no, t.hash FROM json_each(:places) AS p CROSS JOIN credit_transactions AS t
        WHERE t.account_no = json_extract(p.value, '$[0]') AND t.seq = json_extract(p.value, '$[1]')
        """
    ),
    # OFFSET 0 keeps the look-ups apart: one of the index for each place.
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
    """Some thousand heads in the order of the accounts' numbers, packed, and the root over them."""

    chunk: int
    first_account_no: int
    root: bytes
    heads: bytes


class Found(msgspec.Struct, frozen=True):
    """A kept head with the roots that lead on from its chunk: `place` is its place among its chunk's `heads`."""

    head: Head
    place: int
    chunk: int
    heads: bytes
    roots: list[bytes]


def find_checkpoint(connection: Connection, number: int | None = None) -> Checkpoint | None:
    """The checkpoint of that number, by default the newest; None where there is none."""
    columns = checkpoints.c
    query = select(columns.number, columns.document).order_by(columns.number.desc()).limit(1)
    row = connection.execute(query if number is None else query.where(columns.number == number)).first()
    return None if row is None else _document(*row)


def list_documents(connection: Connection) -> Iterator[tuple[int, int, str]]:
    """The number, the instant and the document of every checkpoint, the first one first, as they stand there."""
    columns = checkpoints.c
    query = select(columns.number, columns.made_at, columns.document).order_by(columns.number)
    for row in connection.execute(query.execution_options(yield_per=100)):
        yield row.number, row.made_at, row.document


def list_kept(connection: Connection) -> list[int]:
    """The numbers of the checkpoints whose heads are kept, the newest first."""
    columns = checkpoint_heads.c
    query = select(columns.number).join(checkpoints, checkpoints.c.number == columns.number)
    return list(connection.scalars(query.distinct().order_by(columns.number.desc())))


def list_chunks(connection: Connection, number: int) -> Iterator[Chunk]:
    """The heads that are kept of a checkpoint, chunk by chunk, as they stand there."""
    columns = checkpoint_heads.c
    query = select(columns.chunk, columns.first_account_no, columns.root, columns.heads)
    query = query.where(columns.number == number).order_by(columns.chunk)
    for row in connection.execute(query.execution_options(yield_per=1)):
        yield Chunk(row.chunk, row.first_account_no, _bytes(row.root), _bytes(row.heads))


def find_head(connection: Connection, number: int, account_no: int) -> Found | None:
    """An account's head under that checkpoint; None where it had none, or none are kept."""
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
    return Found(heads[place], place, row.chunk, bytes(row.heads), roots)


def hashes_at(connection: Connection, heads: Sequence[Head]) -> dict[int, bytes]:
    """The hashes that the ledger has now in the places of these heads, by the account's number."""
    places = msgspec.json.encode([(head.account_no, head.seq) for head in heads]).decode()
    found = connection.execute(_FOUND[connection.dialect.name], {"places": places})
    return {number: _bytes(hashed) for number, hashed in found}


def list_heads(connection: Connection) -> Iterator[tuple[int, int, bytes | None]]:
    """Where every account's chain stands now, as its row says, in the order of the accounts' numbers."""
    columns = credit_accounts.c
    query = select(columns.account_no, columns.seq, columns.head).where(columns.seq > 0).order_by(columns.account_no)
    for row in connection.execute(query.execution_options(yield_per=ACCOUNTS_AT_ONCE)):
        yield row.account_no, row.seq, row.head


def forget_unfinished(connection: Connection, number: int) -> None:
    """Delete heads that whoever meant to make this checkpoint left behind."""
    connection.execute(delete(checkpoint_heads).where(checkpoint_heads.c.number == number))


def keep_chunk(connection: Connection, number: int, chunk: Chunk) -> None:
    """Keep heads of a checkpoint that is being made."""
    connection.execute(insert(checkpoint_heads), [{"number": number, **msgspec.structs.asdict(chunk)}])


def keep(connection: Connection, checkpoint: Checkpoint, roots: Sequence[bytes]) -> bool:
    """Keep a checkpoint over heads that are kept already, and let go of old ones' heads; whether it could be.

    It cannot where the heads that are kept are another one's; where another one of its number is, it raises
    SQLAlchemy's `IntegrityError`.
    """
    columns = checkpoint_heads.c
    mine = select(columns.root).where(columns.number == checkpoint.number).order_by(columns.chunk)
    if [bytes(root) for root in connection.scalars(mine)] != list(roots):
        return False
    made_at = from_wire("made_at", checkpoint.made_at)
    row = {"number": checkpoint.number, "made_at": made_at, "document": write_checkpoint(checkpoint)}
    connection.execute(insert(checkpoints), [row])
    connection.execute(delete(checkpoint_heads).where(columns.number <= checkpoint.number - KEPT))
    return True


def _bytes(value: Any) -> bytes:
    """The bytes; SQLite keeps any value in any column, and what are none are nobody's hash and no heads."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b"?"


def _document(number: int, document: str) -> Checkpoint:
    try:
        return read_checkpoint(document)
    except InvalidInputError as error:
        raise BrokenLedgerError(f"checkpoint {number} {error.problem}") from error
