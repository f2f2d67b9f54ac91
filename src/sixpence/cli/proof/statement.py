"""`sixpence verify STATEMENT`: verify a customer's statement by the proof in it, without a database.

Not here: the proof (`sixpence.core.proof.statement_proof`).
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import click
import msgspec

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.core.proof.statement_document import StatementDiffersError, read_document
from sixpence.core.proof.statement_proof import VerifiedStatement, check
from sixpence.core.reports.statement import Statement
from sixpence.core.values.instant import to_wire
from sixpence.ledger.checkpoints.signing import is_signed
from sixpence.service.results.statements import CreditStatement

STATEMENT_BYTES_MAX = 256 * 1024 * 1024


def verify_statement(file: Path, public_keys: Collection[str]) -> int:
    """Print what the proof confirms, and return the exit status: 1 if the statement differs from its proof."""
    try:
        checked = check(_read(file), is_signed=is_signed, to_document=_to_document)
    except StatementDiffersError as error:
        return _print_difference(file, str(error))
    key = checked.checkpoint.public_key
    if public_keys and key not in public_keys:
        return _print_difference(file, f"it is signed with the public key {key}, which is not a trusted one")
    for line in _summary(checked):
        click.echo(line)
    if not public_keys:
        click.echo(
            f"note: the signature was made with the key {key}, and does not show who owns that key. Compare it with "
            "the public key that the owner published, or pass that one as --public-key",
            err=True,
        )
    return 0


def _read(file: Path) -> dict[str, Any]:
    size = file.stat().st_size
    if size > STATEMENT_BYTES_MAX:
        limit = f"more than the {STATEMENT_BYTES_MAX} of the longest statement"
        raise CommandRefusedError(f"{file} has {size} bytes, {limit}. Name a statement.")
    return read_document(file.read_bytes())


def _summary(checked: VerifiedStatement) -> list[str]:
    statement, checkpoint = checked.statement, checked.checkpoint
    count = len(statement.movements)
    attested = sum(movement.seq <= checked.attested_up_to for movement in statement.movements)
    lines = [
        f"Account {statement.account_id!r} from {to_wire(statement.since)} until {to_wire(statement.until)}: "
        f"opening balance {statement.opening.remaining}, {count} movement{'' if count == 1 else 's'}, "
        f"closing balance {statement.closing.remaining}: confirmed by the ledger's rows.",
        f"Checkpoint {checkpoint.number} of {checkpoint.made_at}, signed with {checkpoint.public_key}, attests "
        f"{'all' if attested == count else attested} of the movements.",
    ]
    if attested < count:
        later = statement.movements[attested]
        lines.append(
            f"The movements from transaction {later.seq} of {to_wire(later.created_at)} on are newer than that "
            "checkpoint: their chain continues from it, and no signature covers them yet."
        )
    if not checked.is_followed:
        lines.append(
            "No row after the period is signed, so rows at its end may be missing, or its end may have been moved."
        )
    return lines


def _print_difference(file: Path, difference: str) -> int:
    click.echo(f"{file}: {difference}", err=True)
    return 1


def _to_document(statement: Statement) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CreditStatement.of(statement)))
    return document
