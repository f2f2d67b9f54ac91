"""Bringing a database to this version's schema: a SQLite file by itself, a PostgreSQL server when it is told to.

The steps are Alembic's (`migrations/versions`). For a base install, which has no Alembic, each is also kept as the SQL
it renders to for SQLite (`migrations/sqlite`); a test renders them anew and compares.
"""

import io
import re
import sqlite3
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from sixpence.core.errors import DatabaseSetupError
from sixpence.ledger.database.engines import PostgresServer
from sixpence.ledger.database.tables import metadata

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_RENDERED = _MIGRATIONS / "sqlite"
# A name of our own: an app that keeps Sixpence in its PostgreSQL may have Alembic's usual table for itself.
VERSION_TABLE = "sixpence_schema"
_READ_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"


def steps() -> list[str]:
    """The numbers of the steps, in order."""
    return sorted(path.stem for path in _RENDERED.glob("*.sql"))


def missing_steps(version: str | None) -> list[str]:
    """The steps after this one; raises `DatabaseSetupError` for one that is not known here."""
    known = steps()
    if version is not None and version not in known:
        problem = f"The database's schema is at step {version}, which is newer than this version of Sixpence."
        raise DatabaseSetupError(problem, "Install the newer version again.")
    return known if version is None else known[known.index(version) + 1 :]


def check_tables(version: str | None, found: Collection[str]) -> None:
    """Raise `DatabaseSetupError` when a database that says it has the newest schema lacks some of its tables."""
    lacking = sorted(name for name in metadata.tables if name not in found)
    if lacking:
        problem = f"The database says that its schema is at step {version}, and lacks {', '.join(lacking)}."
        raise DatabaseSetupError(problem, "Restore a copy of it.")


def sqlite_tables(connection: sqlite3.Connection) -> list[str]:
    """The names of a file's tables."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
    return [name for (name,) in connection.execute(query)]


def refuse_foreign_tables(path: str, found: Collection[str]) -> None:
    """Raise `DatabaseSetupError` for a SQLite file with tables of which none says that they are Sixpence's."""
    if found and VERSION_TABLE not in found:
        problem = f"The SQLite file '{path}' holds somebody else's tables ({', '.join(found):.60})."
        raise DatabaseSetupError(problem, "Name another file: one that is not there yet is made.")


def upgrade_sqlite(connection: sqlite3.Connection) -> None:
    """Apply the steps that the file lacks, as one transaction.

    Raises `DatabaseSetupError` for a file that is newer or not whole, and leaves it as it is.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in missing_steps(_sqlite_version(connection)):
            _apply(connection, step)
        check_tables(_sqlite_version(connection), sqlite_tables(connection))
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def check_postgres(connection: Connection) -> None:
    """Raise `DatabaseSetupError` unless the server has exactly this version's schema."""
    try:
        version = connection.scalar(text(_READ_VERSION))
    except DBAPIError as error:
        if VERSION_TABLE not in str(error.orig):
            raise
        version = None
    missing = missing_steps(version)
    if missing:
        problem = f"The database's schema is at step {version or 'none'} and this version needs {missing[-1]}."
        raise DatabaseSetupError(problem, "Run: sixpence db upgrade.")


def upgrade_postgres(place: PostgresServer) -> str:
    """Apply the steps that the server lacks and return the step it is at; needs Alembic (the `server` extra)."""
    from alembic import command  # an extra: the library alone never upgrades a server

    command.upgrade(_config(place.conninfo.replace("postgresql://", "postgresql+psycopg://", 1)), "head")
    return steps()[-1]


def render_sqlite() -> dict[str, str]:
    """The steps as SQL for SQLite, by number, as Alembic renders them now."""
    from alembic import command
    from alembic.script import ScriptDirectory

    rendered = {}
    config = _config("sqlite://")
    for script in ScriptDirectory.from_config(config).walk_revisions():
        config.output_buffer = io.StringIO()
        command.upgrade(config, f"{script.down_revision or 'base'}:{script.revision}", sql=True)
        # Alembic asks its own bookkeeping for the row it wrote; nobody here reads it.
        lines = (
            line.rstrip().replace(" RETURNING version_num", "") for line in config.output_buffer.getvalue().splitlines()
        )
        rendered[script.revision] = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"
    return rendered


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def _apply(connection: sqlite3.Connection, step: str) -> None:
    try:
        for statement in _statements((_RENDERED / f"{step}.sql").read_text()):
            connection.execute(statement)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise
        problem = f"The SQLite file '{_file_of(connection)}' cannot be brought to step {step}: {error}."
        raise DatabaseSetupError(problem, "Restore a copy of it, or name another file.") from error


def _file_of(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA database_list").fetchone()[2])


def _sqlite_version(connection: sqlite3.Connection) -> str | None:
    if VERSION_TABLE not in sqlite_tables(connection):
        return None
    row = connection.execute(_READ_VERSION).fetchone()
    return None if row is None else str(row[0])


def _statements(script: str) -> list[str]:
    """The statements of a rendered script; none of ours has a semicolon inside."""
    without_comments = re.sub(r"^--.*$", "", script, flags=re.MULTILINE)
    return [statement.strip() for statement in without_comments.split(";") if statement.strip()]
