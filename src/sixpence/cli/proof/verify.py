"""`sixpence verify`: prove every balance from the ledger, on a database snapshot that this process reads.

Not here: the verification (`sixpence.ledger.verify`), and verifying a statement (`statement`).
"""

import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from sqlalchemy import Connection, inspect

from sixpence.cli.db import find_schema_step
from sixpence.cli.proof import resume_file
from sixpence.cli.proof.checkpoint_options import (
    checkpoint_options,
    compare_checkpoints,
    refuse_options_with_statement,
    statement_argument,
)
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, json_option, read_settings
from sixpence.cli.terminal.program import program_name
from sixpence.cli.terminal.progress import progress_bar
from sixpence.core.errors import CreditSystemError
from sixpence.ledger.checkpoints.compare import Comparison, ExternalCheckpoint
from sixpence.ledger.database import migrate
from sixpence.ledger.database.engines import SQLiteFile, parse_database_url, reading_engine
from sixpence.ledger.sqlite.file import refuse_hard_links
from sixpence.ledger.verify.verify import DIFFERENCES_MAX, Report
from sixpence.ledger.verify.verify import verify as verify_ledger
from sixpence.settings import Settings

DIFFERS = 1
# No result: the ledger could not be read, or the run was stopped.
UNFINISHED = 2


@click.command()
@statement_argument
@click.option("--decide", is_flag=True, help="Also decide every transaction again by the rules. This takes longer.")
@click.option(
    "--resume",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Save the progress in this file. If the file exists, resume from it.",
)
@checkpoint_options
@json_option
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
    """Rebuild every account from its ledger and compare. A server may run meanwhile.

    \b
    Examples:
      sixpence verify
      sixpence verify --decide
      sixpence verify --resume verified-so-far.json
      sixpence verify --checkpoint monday.checkpoint
      sixpence verify statement.json

    This shows that the balances add up and that no row was changed. With --decide it also shows that the rules, with
    the plan and the prices of that time, decide the same rows again. Nothing in the database is changed.

    Exit status 0: no difference. 1: at least one, each printed as a sentence. 2: the run did not finish. Erased
    metadata is counted, and an account ahead of the database's clock gets a note; neither is a difference.

    With --resume a stopped run continues after the last proved account. Accounts that were proved before are not read
    again, so later changes to their rows are not found.

    Checkpoints (sixpence checkpoint) reveal what a consistent ledger cannot: a truncated tail, or an older copy that
    was restored. A STATEMENT with a proof is verified without the database.
    """
    if statement is not None:
        refuse_options_with_statement(decide=decide, resume=resume, checkpoint=checkpoints, json=as_json)
        from sixpence.cli.proof.statement import verify_statement  # only this run needs its imports

        return verify_statement(statement, public_keys)
    try:
        settings = read_settings(database=database)
        verified = _verify_and_compare(settings, resume, decide=decide, checkpoints=checkpoints, trusted=public_keys)
    except (CommandRefusedError, CreditSystemError) as error:
        click.echo(str(error), err=True)
        return UNFINISHED
    if verified is None:
        return UNFINISHED
    report, compared = verified
    if as_json:
        counts = {"kept": compared.checkpoints, "compared": compared.compared}
        click.echo(json.dumps({"clean": report.clean, **msgspec.structs.asdict(report), "checkpoints": counts}))
    else:
        _print_report(report)
    return 0 if report.clean else DIFFERS


def _print_report(report: Report) -> None:
    counts = f"{report.accounts} accounts, {report.transactions} transactions"
    counts += f", {report.erased} of them with erased metadata" if report.erased else ""
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    if report.clean:
        click.echo(f"{counts}: no difference")
        return
    for difference in report.differences:
        click.echo(difference, err=True)
    more = " (only the first are listed)" if len(report.differences) >= DIFFERENCES_MAX else ""
    count = len(report.differences)
    click.echo(f"{counts}: {count} difference{'s' if count > 1 else ''}{more}", err=True)


def _verify_and_compare(
    settings: Settings,
    resume: Path | None,
    *,
    decide: bool,
    checkpoints: Sequence[ExternalCheckpoint],
    trusted: Sequence[str],
) -> tuple[Report, Comparison] | None:
    """The report, with the comparison with checkpoints; None after Ctrl-C, with a message how to resume."""
    try:
        with (
            databases.explain_unavailability(settings),
            databases.translate_driver_errors(),
            _connect(settings) as connection,
        ):
            report = _verify(connection, resume, decide=decide)
            compared = compare_checkpoints(report, connection, checkpoints=checkpoints, public_keys=trusted)
    except KeyboardInterrupt:
        click.echo(f"Stopped before the end.{_resume_hint(settings, resume, decide=decide)}", err=True)
        return None
    return report, compared


def _verify(connection: Connection, resume: Path | None, *, decide: bool) -> Report:
    if resume is None:
        with progress_bar("Verifying", "transactions") as progress:
            return verify_ledger(connection, progress=progress, decide=decide)
    passed, keep = resume_file.read(resume), resume_file.saver(resume)
    with progress_bar("Verifying", "transactions") as progress:
        report = verify_ledger(connection, progress=progress, decide=decide, resume_from=passed, save=keep)
    resume_file.remove(resume)
    return report


@contextmanager
def _connect(settings: Settings) -> Iterator[Connection]:
    """A connection for reading; raises unless the database is a ledger of this version."""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile) and not Path(place.path).is_file():
        problem = f"database: the file {place.path} does not exist."
        raise CommandRefusedError(f"{problem} Name one with --database or SIXPENCE_DATABASE_URL.")
    if isinstance(place, SQLiteFile):
        refuse_hard_links(place.path)
    engine = reading_engine(place)
    try:
        with engine.connect() as connection:
            step, tables = find_schema_step(connection), inspect(connection).get_table_names()
            if isinstance(place, SQLiteFile):
                migrate.refuse_foreign_tables(place.path, tables)
            missing = migrate.missing_steps(step)
            if missing:
                problem = (
                    f"database: {databases.display_name(settings)} is at step {step or 'none'}, not at {missing[-1]}."
                )
                raise CommandRefusedError(f"{problem} Run: sixpence db upgrade.")
            migrate.check_tables(step, tables)
            yield connection
    finally:
        engine.dispose()


def _resume_hint(settings: Settings, resume: Path | None, *, decide: bool) -> str:
    if resume is None:
        return " No progress was saved. Use --resume FILE for a run that can be resumed."
    if not resume.exists():
        return ""
    options = f"{' --decide' if decide else ''} --resume {shlex.quote(str(resume))}"
    return f" Resume with: {program_name()} verify{options}{databases.option_for(settings)}"
