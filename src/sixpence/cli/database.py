"""The database as a person is told of it, and opening it so that what is wrong with it is said in a sentence."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError

from sixpence.cli.errors import CommandRefusedError
from sixpence.core.errors import DatabaseUnavailableError
from sixpence.ledger.database import Place, SQLiteFile, place_of
from sixpence.settings import Settings


def shown(settings: Settings) -> str:
    """Where the data is, without a password."""
    place = place_of(settings.database)
    if isinstance(place, SQLiteFile):
        return f"{place.path} (SQLite)"
    return make_url(place.conninfo).render_as_string(hide_password=True)


def option_for(settings: Settings) -> str:
    """What a command in another terminal must be given to find the same database; nothing where that is the default."""
    if settings.database == Settings().database:
        return ""
    place = place_of(settings.database)
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
        raise CommandRefusedError(
            f"database: {shown(settings)} cannot be reached{_reason(error)}. "
            "Start it, or name another with --database or SIXPENCE_DATABASE_URL."
        ) from error


def prepared_place(settings: Settings) -> Place:
    """What the settings name; the folder of the default file is made."""
    place = place_of(settings.database)
    if isinstance(place, SQLiteFile) and not settings.database_url:
        try:
            settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = f"SIXPENCE_HOME: the folder {settings.home} cannot be made ({error.strerror})."
            raise CommandRefusedError(f"{problem} Name one that can be written.") from error
    return place


def _reason(error: DatabaseUnavailableError) -> str:
    """The driver's own first line, which names the host and what it answered."""
    cause: BaseException | None = error.__cause__
    original = getattr(cause, "orig", None) or cause
    lines = str(original or "").strip().splitlines()
    return f" ({lines[0].strip()})" if lines else ""
