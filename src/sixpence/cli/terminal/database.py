"""The database as a person is told of it, and opening it so that what is wrong with it is said in a sentence."""

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


def shown(settings: Settings) -> str:
    """Where the data is, without a password."""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile):
        return f"{place.path} (SQLite)"
    return make_url(place.conninfo).render_as_string(hide_password=True)


def option_for(settings: Settings) -> str:
    """What a command in another terminal must be given to find the same database; nothing where that is the default."""
    if settings.database == Settings().database:
        return ""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile):
        return f" --database {shlex.quote(f'sqlite:///{Path(place.path).absolute()}')}"
    if make_url(place.conninfo).password:
        return ' --database "$SIXPENCE_DATABASE_URL"'
    return f" --database {shlex.quote(place.conninfo)}"


@contextmanager
def translated() -> Iterator[None]:
    """Turn a driver's error into the one that says that the database is not available."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnavailableError from error


@contextmanager
def told_in_words(settings: Settings) -> Iterator[None]:
    """Turn a database that cannot be reached into a sentence that names it."""
    try:
        yield
    except DatabaseUnavailableError as error:
        raise _in_words(parse_database_url(settings.database), error, shown(settings)) from error


def prepared_place(settings: Settings) -> DatabaseAddress:
    """What the settings name; the folder of the default file is made."""
    place = parse_database_url(settings.database)
    if isinstance(place, SQLiteFile) and not settings.database_url:
        try:
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = f"SIXPENCE_HOME: the folder {settings.home} cannot be made ({error.strerror})."
            raise CommandRefusedError(f"{problem} Name one that can be written.") from error
    return place


def _in_words(
    place: DatabaseAddress, error: DatabaseUnavailableError, name: str
) -> CommandRefusedError | DatabaseSetupError:
    another = "name another with --database or SIXPENCE_DATABASE_URL."
    original = _original(error)
    lines = str(original or "").strip().splitlines()
    # The driver's own first line names the host and what it answered.
    reason = f" ({lines[0].strip()})" if lines else ""
    if isinstance(place, PostgresServer):
        return CommandRefusedError(f"database: {name} cannot be reached{reason}. Start it, or {another}")
    from sixpence.ledger.sqlite.file import explain_damage  # nothing but this needs the whole store

    return explain_damage(place.path, original) or CommandRefusedError(
        f"database: {name} cannot be read or written{reason}. End what keeps it, or {another}"
    )


def _original(error: DatabaseUnavailableError) -> BaseException | None:
    cause: BaseException | None = error.__cause__
    original: BaseException | None = getattr(cause, "orig", None)
    return original or cause
