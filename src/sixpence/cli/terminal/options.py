"""Options that several commands share, and the settings that they give."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from sixpence.settings import Settings


class Number(click.IntRange):
    """A whole number, with bounds or without; a refusal names the bounds and the value."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number; fails for another text and for a number out of the bounds."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(f"must be a {self._wanted()}, not '{value}'.", param, ctx)

    def _wanted(self) -> str:
        if self.min is None:
            return "whole number"
        return f"number from {self.min} on" if self.max is None else f"number from {self.min} to {self.max}"


Command = TypeVar("Command", bound=Callable[..., Any])


def database_option(command: Command) -> Command:
    """`--database URL`, which goes before the environment."""
    return click.option(
        "--database",
        metavar="URL",
        help="A SQLite file (sqlite:///credits.db) or PostgreSQL (postgresql://user@host/database). "
        "Default: SIXPENCE_DATABASE_URL, or else the file credits.db in SIXPENCE_HOME (.sixpence).",
    )(command)


def json_option(command: Command) -> Command:
    """`--json`, which prints one JSON document instead of text."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def read_settings(*, database: str | None, host: str | None = None, port: int | None = None) -> Settings:
    """Read the settings from the environment; an option of the command line goes before its variable."""
    return Settings.read(database_url=database, host=host, port=port)
