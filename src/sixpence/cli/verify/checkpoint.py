"""`sixpence checkpoint`: signing where every account's chain stands, and showing what was signed."""

from pathlib import Path
from typing import Any

import click
import msgspec

from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.settings import Settings

# A ledger of many millions of accounts is read in minutes.
MAKING_SECONDS_MAX = 1_800.0


@click.group(invoke_without_command=True)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write it, with the heads it was made over, to a file that is not there yet: to be kept elsewhere.",
)
@database_option
@click.pass_context
def checkpoint(context: click.Context, out: Path | None, database: str | None) -> None:
    """Sign where every account's ledger stands now, and print the document.

    \b
    Examples:
      sixpence checkpoint
      sixpence checkpoint --out 2026-11-25.checkpoint
      sixpence verify --checkpoint 2026-11-25.checkpoint

    Whoever can write to the database can also remove what is kept in it. So keep the file where they cannot: against
    it, `sixpence verify` finds a ledger that was cut off, rewritten or restored from an older copy.
    """
    if context.invoked_subcommand is not None:
        return
    from sixpence.cli.operator.operator import local_operator
    from sixpence.cli.verify.checkpoint_file import refuse_place

    settings = settings_of(database=database)
    if out is not None:
        refuse_place(out)
    with local_operator(settings, answer_seconds_max=MAKING_SECONDS_MAX) as operator:
        made = operator.ask("POST", "/api/admin/checkpoint")
    click.echo(_line(made))
    if out is not None:
        _write(settings, made, out)
        click.echo(f"Written to {out}. Keep it where nobody who can write to the database can.", err=True)


@checkpoint.command()
@click.argument("number", type=click.IntRange(1), required=False)
@database_option
def show(number: int | None, database: str | None) -> None:
    """Print the checkpoint of that NUMBER, by default the newest.

    \b
    Example:
      sixpence checkpoint show 3
    """
    from sixpence.cli.operator.operator import local_operator

    path = "/api/admin/checkpoint" if number is None else f"/api/admin/checkpoint?number={number}"
    with local_operator(settings_of(database=database)) as operator:
        click.echo(_line(operator.ask("GET", path)))


@checkpoint.command()
@database_option
def key(database: str | None) -> None:
    """Print the public key of what is signed here; tell it to whoever is to check statements and checkpoints.

    \b
    Example:
      sixpence checkpoint key

    The private key is SIXPENCE_SIGNING_KEY, or the file signing_key in SIXPENCE_HOME, which is made when it is first
    needed. For another one set that or move the file away: each checkpoint names the key that signed it.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        click.echo(operator.ask("GET", "/api/admin/checkpoint/key")["public_key"])


def _line(document: dict[str, Any]) -> str:
    return msgspec.json.encode(document).decode()


def _write(settings: Settings, made: dict[str, Any], out: Path) -> None:
    from sixpence.cli.verify.checkpoint_file import write_file
    from sixpence.core.proof.checkpoint import read_checkpoint
    from sixpence.ledger.checkpoints.storage import list_chunks
    from sixpence.ledger.database.engines import parse_database_url, reading_engine
    from sixpence.ledger.database.snapshot import snapshot

    signed = read_checkpoint(_line(made))
    engine = reading_engine(parse_database_url(settings.database))
    try:
        with databases.told_in_words(settings), databases.translated(), engine.connect() as there, snapshot(there):
            write_file(out, signed, (chunk.heads for chunk in list_chunks(there, signed.number)))
    finally:
        engine.dispose()
