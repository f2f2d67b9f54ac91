"""Options that several commands share, and the settings that come of them."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sixpence.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


def database_option(command: Command) -> Command:
    """`--database URL`, which goes before the environment."""
    return click.option(
        "--database",
        metavar="URL",
        help="A SQLite file (sqlite:///credits.db) or PostgreSQL (postgresql://user@host/database). "
        "Otherwise SIXPENCE_DATABASE_URL, otherwise the file credits.db in SIXPENCE_HOME (.sixpence).",
    )(command)


def settings_of(*, database: str | None, host: str | None = None, port: int | None = None) -> Settings:
    """The settings of the environment, with what was chosen on the command line put first."""
    return Settings.read(database_url=database, host=host, port=port)
