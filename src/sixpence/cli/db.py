"""`sixpence db`: upgrade the schema of a database, and find the step that it is at.

Not here: the steps (`sixpence.ledger.migrations`) and how they are applied (`sixpence.ledger.database.migrate`).
"""

from pathlib import Path

import click
from sqlalchemy import Connection, Engine, inspect, text

from sixpence.cli.operator import file_lock
from sixpence.cli.terminal import database as databases
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, read_settings
from sixpence.ledger.database import migrate
from sixpence.ledger.database.engines import PostgresServer, SQLiteFile, reading_engine
from sixpence.ledger.sqlite.file import connect, refuse_hard_links


@click.group()
def db() -> None:
    """Upgrade a database to this version's schema.

    \b
    Example:
      sixpence db upgrade --database postgresql://app@db.example.com/credits
    """


@db.command()
@database_option
def upgrade(database: str | None) -> None:
    """Apply the missing steps of the schema. It is safe to repeat, also on several machines at once.

    \b
    Example:
      sixpence db upgrade --database postgresql://app@db.example.com/credits

    A SQLite file is upgraded by any command that opens it; a PostgreSQL database only by this one.
    """
    settings = read_settings(database=database)
    place = databases.prepare_place(settings)
    with databases.explain_unavailability(settings):
        before, after = _upgrade_file(place) if isinstance(place, SQLiteFile) else _upgrade_server(place)
    if before == after:
        click.echo(f"{databases.display_name(settings)} is at step {after}, the newest. Nothing was changed.")
    else:
        click.echo(f"{databases.display_name(settings)} was upgraded from step {before or 'none'} to step {after}.")


def find_schema_step(connection: Connection) -> str | None:
    """The step that the database is at; None without a schema of Sixpence."""
    if not inspect(connection).has_table(migrate.VERSION_TABLE):
        return None
    step = connection.scalar(text(f"SELECT version_num FROM {migrate.VERSION_TABLE}"))
    return None if step is None else str(step)


def _upgrade_server(place: PostgresServer) -> tuple[str | None, str]:
    before = _find_step(reading_engine(place))
    migrate.missing_steps(before)
    return before, migrate.upgrade_postgres(place)


def _upgrade_file(place: SQLiteFile) -> tuple[str | None, str]:
    before = None
    if Path(place.path).exists():
        refuse_hard_links(place.path)
        before = _find_step(reading_engine(place))
    if before == migrate.steps()[-1]:
        return before, before
    try:
        with file_lock.lock_file(place, wait_seconds=0):
            connection = connect(place.path)
            try:
                migrate.upgrade_sqlite(connection)
            finally:
                connection.close()
    except file_lock.FileLockedError as error:
        problem = f"database: process {error.pid} serves {place.path} at step {before}."
        raise CommandRefusedError(f"{problem} Stop it first: kill {error.pid}.") from error
    return before, migrate.steps()[-1]


def _find_step(engine: Engine) -> str | None:
    try:
        with databases.translate_driver_errors(), engine.connect() as connection:
            return find_schema_step(connection)
    finally:
        engine.dispose()
