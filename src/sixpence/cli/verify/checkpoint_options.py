"""What `sixpence verify` takes and does about checkpoints: files that were kept elsewhere, keys that are trusted."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from sixpence.cli.verify.checkpoint_file import read_file
from sixpence.core.errors import InvalidInputError
from sixpence.ledger.checkpoints.compare import Comparison, ExternalCheckpoint, compare
from sixpence.ledger.verify.verify import Report

Command = TypeVar("Command", bound=Callable[..., Any])
_KEY = re.compile("[0-9a-f]{64}")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def statement_argument(command: Command) -> Command:
    """`[STATEMENT]`, which needs no database."""
    return click.argument("statement", metavar="[STATEMENT]", required=False, type=FILE)(command)


def checkpoint_options(command: Command) -> Command:
    """`--checkpoint FILE` and `--public-key KEY`, each as often as one likes."""
    trusted = click.option(
        "--public-key",
        "public_keys",
        metavar="KEY",
        multiple=True,
        callback=_checked_keys,
        help="A public key that may have signed; no other is then accepted. May be given several times.",
    )
    given = click.option(
        "--checkpoint",
        "checkpoints",
        metavar="FILE",
        multiple=True,
        type=FILE,
        callback=_read_files,
        help="Also compare with a checkpoint that was kept elsewhere. May be given several times.",
    )
    return given(trusted(command))


def refuse_beside_statement(**options: object) -> None:
    """Raise `click.UsageError` for options that say something of a ledger, where a statement is to be proved."""
    given = [f"--{name}" for name, value in options.items() if value]
    if given:
        raise click.UsageError(f"{', '.join(given)}: a statement is proved by itself. Leave that out, or STATEMENT.")


def _read_files(
    _context: click.Context, _option: click.Parameter, files: tuple[Path, ...]
) -> tuple[ExternalCheckpoint, ...]:
    """Before the ledger is looked at, which may take long."""
    try:
        return tuple(map(read_file, files))
    except InvalidInputError as error:
        raise click.BadParameter(str(error)) from None


def _checked_keys(_context: click.Context, _option: click.Parameter, keys: tuple[str, ...]) -> tuple[str, ...]:
    for key in keys:
        if not _KEY.fullmatch(key):
            problem = f"{key!r:.70} is not 64 hexadecimal digits in lower case. Take it from: sixpence checkpoint key."
            raise click.BadParameter(problem)
    return keys


def add_checkpoints(
    report: Report, connection: Connection, *, checkpoints: Sequence[ExternalCheckpoint], public_keys: Sequence[str]
) -> Comparison:
    """Add to the report in what the ledger is not what checkpoints say: those of the files, and its own newest."""
    compared = compare(connection, checkpoints, trusted=public_keys)
    report.differences += compared.differences
    report.notes += compared.notes
    return compared
