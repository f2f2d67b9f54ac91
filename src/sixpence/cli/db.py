"""`sixpence db`: the schema of a database."""

from pathlib import Path

import click
from sqlalchemy import Connection, Engine, inspect, text

from sixpence.cli.operator import file_lock
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.ledger.database import migrate
from sixpence.ledger.database.engines import PostgresServer, SQLiteFile, reading_engine
from sixpence.ledger.sqlite.file import connect, refuse_hard_links


@click.group()
def db() -> None:
    """Bring a database to this version's schema.

    \b
    Example:
      sixpence db upgrade --database postgresql://app@db.example.com/credits
    """


@db.command()
@database_option
def upgrade(database: str | None) -> None:
    """Apply the steps that the database lacks; safe to repeat, and by several machines at once.

    \b
    Example:
      sixpence db upgrade --database postgresql://app@db.example.com/credits

    A SQLite file is brought up to date by whatever opens it; a PostgreSQL server only by this command.
    """
    settings = settings_of(database=database)
    place = databases.prepared_place(settings)
    with databases.told_in_words(settings):
        before, after = _upgrade_file(place) if isinstance(place, SQLiteFile) else _upgrade_server(place)
    if before == after:
        click.echo(f"{databases.shown(settings)} is at step {after}, the newest: nothing to do.")
    else:
        click.echo(f"{databases.shown(settings)} went from step {before or 'none'} to step {after}.")


def step_of(connection: Connection) -> str | None:
    """The step that the database is at, None where it has no schema of ours."""
    if not inspect(connection).has_table(migrate.VERSION_TABLE):
        return None
    step = connection.scalar(text(f"SELECT version_num FROM {migrate.VERSION_TABLE}"))
    return None if step is None else str(step)


def _upgrade_server(place: PostgresServer) -> tuple[str | None, str]:
    before = _step_through(reading_engine(place))
    migrate.missing_steps(before)
    return before, migrate.upgrade_postgres(place)


def _upgrade_file(place: SQLiteFile) -> tuple[str | None, str]:
    before = None
    if Path(place.path).exists():
        refuse_hard_links(place.path)
        before = _step_through(reading_engine(place))
    if before == migrate.steps()[-1]:
        return before, before
    try:
        with file_lock.held(place, wait_seconds=0):
            connection = connect(place.path)
            try:
                migrate.upgrade_sqlite(connection)
            finally:
                connection.close()
    except file_lock.HeldError as error:
        problem = f"database: process {error.pid} serves {place.path} at step {before}."
        raise CommandRefusedError(f"{problem} Stop it first: kill {error.pid}.") from error
    return before, migrate.steps()[-1]


def _step_through(engine: Engine) -> str | None:
    try:
        with databases.translated(), engine.connect() as connection:
            return step_of(connection)
    finally:
        engine.dispose()
