"""`sixpence verify STATEMENT`: proving a customer's statement from what it carries, without any database."""

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
    """Say what the statement's proof bears out, and give the exit status: 1 where it differs from its proof."""
    try:
        checked = check(_document_of(file), is_signed=is_signed, to_document=_as_shown)
    except StatementDiffersError as error:
        return _differs(file, str(error))
    key = checked.checkpoint.public_key
    if public_keys and key not in public_keys:
        return _differs(file, f"it is signed with the public key {key}, which is none of those that are trusted")
    for line in _words(checked):
        click.echo(line)
    if not public_keys:
        click.echo(
            f"note: the signature shows that whoever has the key {key} signed, and not who that is: compare it with "
            "the one you were told, or name that with --public-key",
            err=True,
        )
    return 0


def _document_of(file: Path) -> dict[str, Any]:
    if file.stat().st_size > STATEMENT_BYTES_MAX:
        raise CommandRefusedError(f"{file} has more than {STATEMENT_BYTES_MAX} bytes, which is no statement.")
    return read_document(file.read_bytes())


def _words(checked: VerifiedStatement) -> list[str]:
    statement, checkpoint = checked.statement, checked.checkpoint
    count = len(statement.movements)
    attested = sum(movement.seq <= checked.attested_up_to for movement in statement.movements)
    lines = [
        f"Account {statement.account_id!r} from {to_wire(statement.since)} until {to_wire(statement.until)}: "
        f"{statement.opening.remaining} at first, {count} movement{'' if count == 1 else 's'}, "
        f"{statement.closing.remaining} in the end: borne out by the ledger's rows.",
        f"Checkpoint {checkpoint.number} of {checkpoint.made_at}, signed with {checkpoint.public_key}, attests "
        f"{'all' if attested == count else attested} of the movements that are shown.",
    ]
    if attested < count:
        later = statement.movements[attested]
        lines.append(
            f"From transaction {later.seq} of {to_wire(later.created_at)} on they came after that checkpoint: their "
            "chain continues from it, and no signature covers them yet."
        )
    if not checked.is_followed:
        lines.append(
            "No row after the period is signed, so that rows at its end may have been left out, or its end moved."
        )
    return lines


def _differs(file: Path, told: str) -> int:
    click.echo(f"{file}: {told}", err=True)
    return 1


def _as_shown(statement: Statement) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(CreditStatement.of(statement)))
    return document
