"""`sixpence verify`: proving every balance from the ledger, on a snapshot that this command reads itself."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import inspect

from sixpence.cli import database as databases
from sixpence.cli.db import step_of
from sixpence.cli.errors import CommandRefusedError
from sixpence.cli.options import database_option, settings_of
from sixpence.ledger import migrate
from sixpence.ledger.database import SQLiteFile, place_of, reading_engine
from sixpence.ledger.sqlite import check_one_name
from sixpence.ledger.verify import DIFFERENCES_MAX, Report
from sixpence.ledger.verify import verify as verify_ledger
from sixpence.settings import Settings


@click.command()
@click.option("--decide", is_flag=True, help="Also decide every transaction anew by the rules, which takes longer.")
@database_option
def verify(decide: bool, database: str | None) -> int:
    """Rebuild every account from the first row of its ledger and compare; also while a server runs.

    \b
    Examples:
      sixpence verify
      sixpence verify --decide

    Without --decide it shows that everything adds up and that nobody changed a row; with it also that each row is what
    the rules make of the account as it stood, under the plan and the prices of then. Nothing is changed. Ends with 0
    when there is no difference, with 1 and each difference in words when there is one. Erased metadata is counted, and
    a note says of an account that it is ahead of the database's clock: neither is a difference.
    """
    settings = settings_of(database=database)
    with databases.told_in_words(settings), databases.translated():
        report = _report(settings, decide=decide)
    looked_at = f"{report.accounts} accounts, {report.transactions} transactions"
    looked_at += f", {report.erased} of them with erased metadata" if report.erased else ""
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    if report.clean:
        click.echo(f"{looked_at}: no difference")
        return 0
    for difference in report.differences:
        click.echo(difference, err=True)
    more = " (the first of them)" if len(report.differences) == DIFFERENCES_MAX else ""
    count = len(report.differences)
    click.echo(f"{looked_at}: {count} difference{'s' if count > 1 else ''}{more}", err=True)
    return 1


def _report(settings: Settings, *, decide: bool) -> Report:
    place = place_of(settings.database)
    if isinstance(place, SQLiteFile) and not Path(place.path).is_file():
        problem = f"database: there is no file {place.path}."
        raise CommandRefusedError(f"{problem} Name one with --database or SIXPENCE_DATABASE_URL.")
    if isinstance(place, SQLiteFile):
        check_one_name(place.path)
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
            with _progress() as progress:
                return verify_ledger(connection, progress=progress, decide=decide)
    finally:
        engine.dispose()


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar for a person who waits; for nobody, nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task("Verifying")
        yield lambda done, total: drawn.update(task, completed=done, total=total)
