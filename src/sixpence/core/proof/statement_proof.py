"""The proof in a statement: the account's chained rows, and a signed checkpoint that their chain leads to.

`prove` makes it; `check` needs only the statement's document and returns what the proof confirms. Metadata is not in
it, only the digests, which the chain covers. Not here: which rows and which checkpoint are chosen
(`ledger.checkpoints.statement_proofs`), and what a person is shown.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from sixpence.core.account.chain import row_hash
from sixpence.core.account.transaction import FIRST_HEAD, Kind, Transaction
from sixpence.core.proof import merkle
from sixpence.core.proof.checkpoint import Checkpoint, Count, Digest, Head, SignatureCheck, pack_head
from sixpence.core.proof.statement_document import StatementDiffersError, first_difference
from sixpence.core.reports.statement import Figures, Period, Statement
from sixpence.core.values.bounds import AMOUNT_MAX
from sixpence.core.values.instant import INSTANT_MAX, to_wire

# A statement that shows more or less of a row needs a new format, too: an old one is checked as it was made.
FORMAT = 1

# Writes a statement's document, without a proof.
ToDocument = Callable[[Statement], dict[str, Any]]
Place = Annotated[int, msgspec.Meta(ge=1, le=AMOUNT_MAX)]
Instant = Annotated[int, msgspec.Meta(ge=0, le=INSTANT_MAX)]
Number = Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9][0-9]{0,18})\Z")]


class ProvedRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A row of the ledger: the fields that its hash covers, without the account's number and id; and the hash."""

    seq: Place
    id: str
    kind: Kind
    amount: int
    balance_after: int
    total_after: int
    held_after: int
    plan: str
    feature_used: str | None
    credits_consumed: int | None
    generation_id: str | None
    metadata_digest: Digest | None
    detail: str
    allocations: str
    idempotency_key: str | None
    fingerprint: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{2})*\Z")] | None
    created_at: int
    recorded_at: int
    hash_format: int
    hash: Digest


class StatementProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rows in their order, after one whose hash is `previous`; and the account's place in the checkpoint's tree.

    `account_no` has 63 bits, more than numbers have in some JSON decoders, so it is written as text.
    """

    format: Count
    since: Instant
    until: Instant
    account_no: Number
    previous: Digest
    rows: list[ProvedRow]
    checkpoint: Checkpoint
    place: Count
    path: list[Digest]


class VerifiedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A statement that its proof confirms. The signature covers every row up to transaction `attested_up_to`.

    `is_followed` says that the row after the period is in the proof and signed, so that no row at the period's end was
    left out. An unsigned row would not show that: it can be forged.
    """

    statement: Statement
    checkpoint: Checkpoint
    attested_up_to: int
    is_followed: bool


def prove(
    period: Period,
    rows: Sequence[Transaction],
    *,
    previous: bytes,
    checkpoint: Checkpoint,
    place: int,
    path: Sequence[bytes],
) -> dict[str, Any]:
    """Return the proof of the statement of that period, as part of its document."""
    proof = StatementProof(
        format=FORMAT,
        since=period.since,
        until=period.until,
        account_no=str(rows[0].account_no),
        previous=previous.hex(),
        rows=[_to_proved_row(row) for row in rows],
        checkpoint=checkpoint,
        place=place,
        path=[neighbour.hex() for neighbour in path],
    )
    document: dict[str, Any] = msgspec.to_builtins(proof)
    return document


def check(document: dict[str, Any], *, is_signed: SignatureCheck, to_document: ToDocument) -> VerifiedStatement:
    """Check a statement's document by its proof; raises `StatementDiffersError` at the first difference."""
    proof = _read_proof(document)
    fault = proof.checkpoint.fault(is_signed)
    if fault is not None:
        raise StatementDiffersError(f"the checkpoint: {fault}")
    account_id = document.get("account_id")
    if not isinstance(account_id, str):
        raise StatementDiffersError(f"its account_id is {account_id!r:.60}, which is not text")
    rows = _check_chain(proof, account_id)
    head = _find_attested_head(proof, rows)
    statement = _rebuild_statement(proof, rows)
    difference = first_difference(to_document(statement), {**document, "proof": None})
    if difference is not None:
        raise StatementDiffersError(difference)
    is_followed = head.seq > statement.closing.version
    return VerifiedStatement(
        statement=statement, checkpoint=proof.checkpoint, attested_up_to=head.seq, is_followed=is_followed
    )


def _read_proof(document: dict[str, Any]) -> StatementProof:
    shown = document.get("proof")
    if shown is None:
        raise StatementDiffersError("it carries no proof")
    try:
        proof = msgspec.convert(shown, StatementProof)
    except msgspec.ValidationError as error:
        raise StatementDiffersError(f"its proof cannot be read: {error}") from None
    difference = first_difference(msgspec.to_builtins(proof), shown, "proof")
    if difference is not None:
        raise StatementDiffersError(difference)
    if proof.format != FORMAT:
        raise StatementDiffersError(f"its proof has the format {proof.format}, and this version knows {FORMAT}")
    if not proof.rows:
        raise StatementDiffersError("its proof has no rows")
    return proof


def _check_chain(proof: StatementProof, account_id: str) -> list[Transaction]:
    """Return the rows, after computing each hash again from the one before."""
    head, rows = bytes.fromhex(proof.previous), []
    before: Transaction | None = None
    for expected, shown in enumerate(proof.rows, proof.rows[0].seq):
        row = _to_transaction(shown, int(proof.account_no), account_id)
        if row.seq != expected:
            raise StatementDiffersError(f"transaction {expected} is missing: the next row is transaction {row.seq}")
        if not _follows(head, row):
            raise StatementDiffersError(f"transaction {row.seq}: its hash does not follow from its fields")
        had = 0 if row.seq == 1 else None if before is None else before.balance_after
        if had is not None and had + row.amount != row.balance_after:
            raise StatementDiffersError(
                f"transaction {row.seq}: {row.amount} on top of {had} is not the {row.balance_after} that it says"
            )
        if before is not None and row.created_at < before.created_at:
            raise StatementDiffersError(f"transaction {row.seq} is dated before the one that it follows")
        rows.append(row)
        head, before = row.hash, row
    if rows[0].seq == 1 and proof.previous != FIRST_HEAD.hex():
        raise StatementDiffersError("transaction 1 is the first, and the proof names one before it")
    return rows


def _follows(head: bytes, row: Transaction) -> bool:
    try:
        return row_hash(head, row) == row.hash
    except (LookupError, ValueError, OverflowError, msgspec.MsgspecError):
        return False  # an unknown format, a lone surrogate, or a number out of bounds


def _find_attested_head(proof: StatementProof, rows: Sequence[Transaction]) -> Head:
    """Return the account's head in the checkpoint: the last row whose hash leads to the root."""
    path = [bytes.fromhex(neighbour) for neighbour in proof.path]
    for row in reversed(rows):
        head = Head(row.account_no, row.seq, row.hash)
        leaf = merkle.leaf_hash(pack_head(head))
        root = merkle.root_by_path(leaf, path, place=proof.place, size=proof.checkpoint.accounts)
        if root is not None and root.hex() == proof.checkpoint.root:
            return head
    raise StatementDiffersError(f"none of its rows leads to the root of checkpoint {proof.checkpoint.number}")


def _rebuild_statement(proof: StatementProof, rows: Sequence[Transaction]) -> Statement:
    """Return the statement that the rows make for the period of the proof."""
    since, until = proof.since, proof.until
    if since >= until:
        raise StatementDiffersError(f"its period ends at {to_wire(until)}, before it begins at {to_wire(since)}")
    before = [row for row in rows if row.created_at < since]
    if not before and rows[0].seq > 1:
        raise StatementDiffersError(f"no row shows what there was before {to_wire(since)}")
    shown = [row for row in rows if since <= row.created_at < until]
    opening = Figures.after(before[-1] if before else None)
    closing = Figures.after(shown[-1]) if shown else opening
    period = Period(account_id=rows[0].account_id, since=since, until=until, opening=opening, closing=closing)
    try:
        return Statement.of(period, shown)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise StatementDiffersError(f"a row's detail cannot be read: {error}") from None


def _to_proved_row(row: Transaction) -> ProvedRow:
    fields = {name: getattr(row, name) for name in ProvedRow.__struct_fields__}
    for name in ("metadata_digest", "fingerprint", "hash"):
        fields[name] = None if fields[name] is None else bytes(fields[name]).hex()
    return ProvedRow(**fields)


def _to_transaction(shown: ProvedRow, account_no: int, account_id: str) -> Transaction:
    fields = msgspec.structs.asdict(shown)
    for name in ("metadata_digest", "fingerprint", "hash"):
        fields[name] = None if fields[name] is None else bytes.fromhex(fields[name])
    return Transaction(account_no=account_no, account_id=account_id, metadata=None, **fields)
