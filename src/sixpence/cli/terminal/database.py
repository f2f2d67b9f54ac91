"""The database in messages for people: its name without a password, and one sentence for what is wrong with it.

Not here: opening the ledger (`sixpence.wiring`), and the lock on a SQLite file (`operator.file_lock`).
"""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.core.errors import DatabaseSetupError, DatabaseUnavailableError
from sixpence.ledger.database.engines import DatabaseAddress, PostgresServer, SQLiteFile, parse_database_url
from sixpence.settings import Settings


def display_name(settings: Settings) -> str:
    """The file or the URL of the database, without a password."""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile):
        return f"{place.path} (SQLite)"
    return make_url(place.conninfo).render_as_string(hide_password=True)


def option_for(settings: Settings) -> str:
    """The `--database` option by which a command in another terminal finds the same database; "" for the default."""
    if settings.database == Settings().database:
        return ""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile):
        return f" --database {shlex.quote(f'sqlite:///{Path(place.path).absolute()}')}"
    if make_url(place.conninfo).password:
        return ' --database "$SIXPENCE_DATABASE_URL"'
    return f" --database {shlex.quote(place.conninfo)}"


@contextmanager
def translate_driver_errors() -> Iterator[None]:
    """Turn a driver's error into `DatabaseUnavailableError`."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnavailableError from error


@contextmanager
def explain_unavailability(settings: Settings) -> Iterator[None]:
    """Turn `DatabaseUnavailableError` into a sentence that names the database, the reason and the remedy."""
    try:
        yield
    except DatabaseUnavailableError as error:
        raise _explained(parse_database_url(settings.database), error, display_name(settings)) from error


def prepare_place(settings: Settings) -> DatabaseAddress:
    """Return the place of the database, after creating the folder of the default file."""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile) and not settings.database_url:
        try:
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = f"SIXPENCE_HOME: the folder {settings.home} cannot be created ({error.strerror})."
            raise CommandRefusedError(f"{problem} Set it to a folder that can be written.") from error
    return place


def _explained(
    place: DatabaseAddress, error: DatabaseUnavailableError, name: str
) -> CommandRefusedError | DatabaseSetupError:
    another = "name another with --database or SIXPENCE_DATABASE_URL."
    original = _original(error)
    lines = str(original or "").strip().splitlines()
    # The first line of the driver's message names the host and its answer.
    reason = f" ({lines[0].strip()})" if lines else ""
    if isinstance(place, PostgresServer):
        return CommandRefusedError(f"database: {name} cannot be reached{reason}. Start it, or {another}")
    from sixpence.ledger.sqlite.file import explain_damage  # only this branch needs the store

    return explain_damage(place.path, original) or CommandRefusedError(
        f"database: {name} cannot be read or written{reason}. Stop the process that locks it, or {another}"
    )


def _original(error: DatabaseUnavailableError) -> BaseException | None:
    cause: BaseException | None = error.__cause__
    original: BaseException | None = getattr(cause, "orig", None)
    return original or cause
