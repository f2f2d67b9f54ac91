"""`sixpence verify`: proving every balance from the ledger, on a snapshot that this command reads itself."""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection, inspect

from sixpence.cli.db import step_of
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.cli.terminal.program import typed
from sixpence.cli.terminal.progress import shown_progress
from sixpence.cli.verify import resume_file
from sixpence.cli.verify.checkpoint_options import (
    add_checkpoints,
    checkpoint_options,
    refuse_beside_statement,
    statement_argument,
)
from sixpence.core.errors import CreditSystemError
from sixpence.ledger.checkpoints.compare import Comparison, ExternalCheckpoint
from sixpence.ledger.database import migrate
from sixpence.ledger.database.engines import SQLiteFile, parse_database_url, reading_engine
from sixpence.ledger.sqlite.file import refuse_hard_links
from sixpence.ledger.verify.verify import DIFFERENCES_MAX, Report
from sixpence.ledger.verify.verify import verify as verify_ledger
from sixpence.settings import Settings

DIFFERS = 1
# Nothing is known of the ledger: it could not be read, or not to its end.
NOT_PROVED = 2


@click.command()
@statement_argument
@click.option("--decide", is_flag=True, help="Also decide every transaction anew by the rules, which takes longer.")
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Keep in this file how far it came, and go on from there if it is there already.",
)
@checkpoint_options
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@database_option
def verify(
    statement: Path | None,
    decide: bool,
    resume: Path | None,
    checkpoints: tuple[ExternalCheckpoint, ...],
    public_keys: tuple[str, ...],
    as_json: bool,
    database: str | None,
) -> int:
    """Rebuild every account from the first row of its ledger and compare; also while a server runs.

    \b
    Examples:
      sixpence verify
      sixpence verify --decide
      sixpence verify --resume verified-so-far.json
      sixpence verify --checkpoint monday.checkpoint
      sixpence verify statement.json

    Without --decide it shows that everything adds up and that nobody changed a row; with it also that each row is what
    the rules make of the account as it stood, under the plan and the prices of then. Nothing is changed. Ends with 0
    when there is no difference, with 1 and each difference in words when there is one, with 2 when it could not be run
    to its end. Erased metadata is counted, and a note says of an account that it is ahead of the database's clock:
    neither is a difference.

    With --resume a run that was stopped goes on after the last account that it had proved. What was proved before is
    not looked at again, so a run that went on says nothing of what has changed there since.

    Checkpoints (sixpence checkpoint) show also what leaves the ledger right in itself: a tail that was cut off, an
    older copy that was restored. A STATEMENT that carries its proof is checked by itself, without the database.
    """
    if statement is not None:
        refuse_beside_statement(decide=decide, resume=resume, checkpoint=checkpoints, json=as_json)
        from sixpence.cli.verify.statement import verify_statement  # no other run needs all of this

        return verify_statement(statement, public_keys)
    try:
        settings = settings_of(database=database)
        found = _found(settings, resume, decide=decide, checkpoints=checkpoints, public_keys=public_keys)
    except (CommandRefusedError, CreditSystemError) as error:
        click.echo(str(error), err=True)
        return NOT_PROVED
    if found is None:
        return NOT_PROVED
    report, compared = found
    if as_json:
        kept = {"kept": compared.checkpoints, "compared": compared.compared}
        click.echo(json.dumps({"clean": report.clean, **msgspec.structs.asdict(report), "checkpoints": kept}))
    else:
        _show(report)
    return 0 if report.clean else DIFFERS


def _show(report: Report) -> None:
    looked_at = f"{report.accounts} accounts, {report.transactions} transactions"
    looked_at += f", {report.erased} of them with erased metadata" if report.erased else ""
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    if report.clean:
        click.echo(f"{looked_at}: no difference")
        return
    for difference in report.differences:
        click.echo(difference, err=True)
    more = " (the first of them)" if len(report.differences) >= DIFFERENCES_MAX else ""
    count = len(report.differences)
    click.echo(f"{looked_at}: {count} difference{'s' if count > 1 else ''}{more}", err=True)


def _found(
    settings: Settings,
    resume: Path | None,
    *,
    decide: bool,
    checkpoints: Sequence[ExternalCheckpoint],
    public_keys: Sequence[str],
) -> tuple[Report, Comparison] | None:
    """What was found, also against checkpoints; None where somebody stopped it, who is told how to go on."""
    try:
        with databases.told_in_words(settings), databases.translated(), _ledger(settings) as connection:
            report = _proved(connection, resume, decide=decide)
            compared = add_checkpoints(report, connection, checkpoints=checkpoints, public_keys=public_keys)
    except KeyboardInterrupt:
        click.echo(f"Stopped before the end.{_how_to_go_on(settings, resume, decide=decide)}", err=True)
        return None
    return report, compared


def _proved(connection: Connection, resume: Path | None, *, decide: bool) -> Report:
    if resume is None:
        with shown_progress("Verifying", "transactions") as progress:
            return verify_ledger(connection, progress=progress, decide=decide)
    passed, keep = resume_file.read(resume), resume_file.keeper(resume)
    with shown_progress("Verifying", "transactions") as progress:
        report = verify_ledger(connection, progress=progress, decide=decide, resume_from=passed, save=keep)
    resume_file.remove(resume)
    return report


@contextmanager
def _ledger(settings: Settings) -> Iterator[Connection]:
    """A connection to read with, to what is a ledger of this version."""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile) and not Path(place.path).is_file():
        problem = f"database: there is no file {place.path}."
        raise CommandRefusedError(f"{problem} Name one with --database or SIXPENCE_DATABASE_URL.")
    if isinstance(place, SQLiteFile):
        refuse_hard_links(place.path)
    engine = reading_engine(place)
    try:
        with engine.connect() as connection:
            step, tables = step_of(connection), inspect(connection).get_table_names()
            if isinstance(place, SQLiteFile):
                migrate.refuse_foreign_tables(place.path, tables)
            missing = migrate.missing_steps(step)
            if missing:
                problem = f"database: {databases.shown(settings)} is at step {step or 'none'}, not at {missing[-1]}."
                raise CommandRefusedError(f"{problem} Run: sixpence db upgrade.")
            migrate.check_tables(step, tables)
            yield connection
    finally:
        engine.dispose()


def _how_to_go_on(settings: Settings, resume: Path | None, *, decide: bool) -> str:
    if resume is None:
        return " Nothing was kept; with --resume FILE a run can go on."
    if not resume.exists():
        return ""
    options = f"{' --decide' if decide else ''} --resume {shlex.quote(str(resume))}"
    return f" Go on with: {typed()} verify{options}{databases.option_for(settings)}"
