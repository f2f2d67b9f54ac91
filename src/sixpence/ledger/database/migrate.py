"""Migrates a database to this version's schema: a SQLite file at its opening, a PostgreSQL server by a command.

The steps are Alembic migrations (`migrations/versions`). A base install has no Alembic, so the SQL that each renders to
for SQLite is stored, too (`migrations/sqlite`); a test renders the steps again and compares.
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
# Not Alembic's default name: an app with Sixpence in its own PostgreSQL may use that for its own migrations.
VERSION_TABLE = "sixpence_schema"
_READ_VERSION = f"SELECT version_num FROM {VERSION_TABLE}"


def steps() -> list[str]:
    """The numbers of the steps, in order."""
    return sorted(path.stem for path in _RENDERED.glob("*.sql"))


def missing_steps(version: str | None) -> list[str]:
    """The steps after this one; raises `DatabaseSetupError` for an unknown step."""
    known = steps()
    if version is not None and version not in known:
        problem = f"The database's schema is at step {version}, which is newer than this version of Sixpence."
        raise DatabaseSetupError(problem, "Install the newer version again.")
    return known if version is None else known[known.index(version) + 1 :]


def check_tables(version: str | None, found: Collection[str]) -> None:
    """Raise `DatabaseSetupError` for missing tables in a database at the newest schema."""
    lacking = sorted(name for name in metadata.tables if name not in found)
    if lacking:
        problem = f"The database says that its schema is at step {version}, and lacks {', '.join(lacking)}."
        raise DatabaseSetupError(problem, "Restore a copy of it.")


def sqlite_tables(connection: sqlite3.Connection) -> list[str]:
    """The names of a file's tables."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name"
    return [name for (name,) in connection.execute(query)]


def refuse_foreign_tables(path: str, found: Collection[str]) -> None:
    """Refuse a file with foreign tables: raises `DatabaseSetupError`."""
    if found and VERSION_TABLE not in found:
        problem = f"The SQLite file '{path}' holds somebody else's tables ({', '.join(found):.60})."
        raise DatabaseSetupError(problem, "Name another file; a missing file is created.")


def upgrade_sqlite(connection: sqlite3.Connection) -> None:
    """Apply the missing steps in one transaction.

    Raises `DatabaseSetupError` for a file that is newer or lacks tables, without changing it.
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
    """Apply the missing steps and return the newest step; needs Alembic (the `server` extra)."""
    from alembic import command  # an extra that only this command needs

    command.upgrade(_config(place.conninfo.replace("postgresql://", "postgresql+psycopg://", 1)), "head")
    return steps()[-1]


def render_sqlite() -> dict[str, str]:
    """Each step's SQL for SQLite by its number, as Alembic renders it now."""
    from alembic import command
    from alembic.script import ScriptDirectory

    rendered = {}
    config = _config("sqlite://")
    for script in ScriptDirectory.from_config(config).walk_revisions():
        config.output_buffer = io.StringIO()
        command.upgrade(config, f"{script.down_revision or 'base'}:{script.revision}", sql=True)
        # Alembic returns the row that it wrote to its version table; nothing here reads it.
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
    """The statements of a rendered script; no statement of ours contains a semicolon."""
    without_comments = re.sub(r"^--.*$", "", script, flags=re.MULTILINE)
    return [statement.strip() for statement in without_comments.split(";") if statement.strip()]
