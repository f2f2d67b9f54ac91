"""`sixpence checkpoint`: sign the current head of every account's chain; show checkpoints and the public key.

Not here: comparing a ledger with a checkpoint, which `sixpence verify` does (`checkpoint_options`).
"""

from pathlib import Path
from typing import Any

import click
import msgspec

from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.options import Number, database_option, read_settings
from sixpence.settings import Settings

# Reading a ledger of many millions of accounts takes minutes.
SIGNING_SECONDS_MAX = 1_800.0


@click.group(invoke_without_command=True)
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write it, with the signed heads, to this new file, which you keep elsewhere.",
)
@database_option
@click.pass_context
def checkpoint(context: click.Context, out: Path | None, database: str | None) -> None:
    """Sign the current state of every account's ledger, and print the signed document.

    \b
    Examples:
      sixpence checkpoint
      sixpence checkpoint --out 2026-11-25.checkpoint
      sixpence verify --checkpoint 2026-11-25.checkpoint

    Anyone who can write to the database can also delete checkpoints in it. Keep the file where they cannot reach it:
    compared with the file, `sixpence verify` finds a ledger that was truncated, rewritten or restored from an older
    copy.
    """
    if context.invoked_subcommand is not None:
        return
    from sixpence.cli.operator.operator import local_operator
    from sixpence.cli.proof.checkpoint_file import check_destination

    settings = read_settings(database=database)
    if out is not None:
        check_destination(out)
    with local_operator(settings, answer_seconds_max=SIGNING_SECONDS_MAX) as operator:
        document = operator.request("POST", "/api/admin/checkpoint")
    click.echo(_to_line(document))
    if out is not None:
        _write(settings, document, out)
        click.echo(f"Written to {out}. Keep it where nobody with write access to the database can change it.", err=True)


@checkpoint.command()
@click.argument("number", type=Number(1), required=False)
@database_option
def show(number: int | None, database: str | None) -> None:
    """Print the checkpoint with this NUMBER. Default: the newest.

    \b
    Example:
      sixpence checkpoint show 3
    """
    from sixpence.cli.operator.operator import local_operator

    path = "/api/admin/checkpoint" if number is None else f"/api/admin/checkpoint?number={number}"
    with local_operator(read_settings(database=database)) as operator:
        click.echo(_to_line(operator.request("GET", path)))


@checkpoint.command()
@database_option
def key(database: str | None) -> None:
    """Print the public key. Give it to those who check statements and checkpoints.

    \b
    Example:
      sixpence checkpoint key

    The private key is SIXPENCE_SIGNING_KEY, or the file signing_key in SIXPENCE_HOME, which is created at its first
    use. To replace the key, set the variable or move the file away: each checkpoint names the key that signed it.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        click.echo(operator.request("GET", "/api/admin/checkpoint/key")["public_key"])


def _to_line(document: dict[str, Any]) -> str:
    return msgspec.json.encode(document).decode()


def _write(settings: Settings, document: dict[str, Any], out: Path) -> None:
    from sixpence.cli.proof.checkpoint_file import write_file
    from sixpence.core.proof.checkpoint import read_checkpoint
    from sixpence.ledger.checkpoints.storage import list_chunks
    from sixpence.ledger.database.engines import parse_database_url, reading_engine
    from sixpence.ledger.database.snapshot import snapshot

    signed = read_checkpoint(_to_line(document))
    engine = reading_engine(parse_database_url(settings.database))
    try:
        with (
            databases.explain_unavailability(settings),
            databases.translate_driver_errors(),
            engine.connect() as connection,
            snapshot(connection),
        ):
            write_file(out, signed, (chunk.heads for chunk in list_chunks(connection, signed.number)))
    finally:
        engine.dispose()
