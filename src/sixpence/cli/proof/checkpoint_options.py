"""The options of `sixpence verify` for checkpoints: files that are kept elsewhere, and trusted public keys."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from sqlalchemy import Connection

from sixpence.cli.proof.checkpoint_file import read_file
from sixpence.core.errors import InvalidInputError
from sixpence.ledger.checkpoints.compare import Comparison, ExternalCheckpoint, compare
from sixpence.ledger.verify.verify import Report

Command = TypeVar("Command", bound=Callable[..., Any])
_KEY = re.compile("[0-9a-f]{64}")
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def statement_argument(command: Command) -> Command:
    """`[STATEMENT]`, a file that is verified without a database."""
    return click.argument("statement", metavar="[STATEMENT]", required=False, type=FILE)(command)


def checkpoint_options(command: Command) -> Command:
    """`--checkpoint FILE` and `--public-key KEY`, each of which may be repeated."""
    trusted = click.option(
        "--public-key",
        "public_keys",
        metavar="KEY",
        multiple=True,
        callback=_check_keys,
        help="A trusted public key; signatures of other keys are then refused. May be repeated.",
    )
    given = click.option(
        "--checkpoint",
        "checkpoints",
        metavar="FILE",
        multiple=True,
        type=FILE,
        callback=_read_files,
        help="Also compare the ledger with this checkpoint file. May be repeated.",
    )
    return given(trusted(command))


def refuse_options_with_statement(**options: object) -> None:
    """Raise `click.UsageError` for options that need a ledger: a statement is verified without one."""
    given = [f"--{name}" for name, value in options.items() if value]
    if given:
        raise click.UsageError(
            f"{', '.join(given)}: not valid with STATEMENT, which is verified without a ledger. Remove one of the two."
        )


def _read_files(
    _context: click.Context, _option: click.Parameter, files: tuple[Path, ...]
) -> tuple[ExternalCheckpoint, ...]:
    """Read the files at once, before the ledger, which may take long."""
    try:
        return tuple(map(read_file, files))
    except InvalidInputError as error:
        raise click.BadParameter(str(error)) from None


def _check_keys(_context: click.Context, _option: click.Parameter, keys: tuple[str, ...]) -> tuple[str, ...]:
    for key in keys:
        if not _KEY.fullmatch(key):
            problem = f"{key!r:.70} is not 64 lower-case hexadecimal digits. Copy it from: sixpence checkpoint key."
            raise click.BadParameter(problem)
    return keys


def compare_checkpoints(
    report: Report, connection: Connection, *, checkpoints: Sequence[ExternalCheckpoint], public_keys: Sequence[str]
) -> Comparison:
    """Compare the ledger with the given checkpoints and its own newest, and add the differences to the report."""
    compared = compare(connection, checkpoints, trusted=public_keys)
    report.differences += compared.differences
    report.notes += compared.notes
    return compared
