"""How a command changes an account: it shows what it is about to do, asks, does it under a key, and tells the rest.

Not here: the commands themselves (`account_corrections`, `account_holds`, `account_plans`).
"""

import secrets
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, settings_of

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator

Command = TypeVar("Command", bound=Callable[..., Any])
# Says what is about to be done; it may ask for more than the account's credits.
Preview = Callable[["Operator", dict[str, Any]], str]


def change_options(*, asks: bool = True, reason: bool = True) -> Callable[[Command], Command]:
    """The options of a command that changes an account: `--reason`, `--yes` where it asks, `--key`, `--database`."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--key", help="A name for this very change: repeated with the same key, it is done once."
        )(database_option(command))
        if asks:
            command = click.option("--yes", is_flag=True, help="Do it without asking.")(command)
        if reason:
            command = click.option(
                "--reason", required=True, help="Why; it is recorded, and the customer can read it."
            )(command)
        return command

    return decorate


def account_path(account_id: str, *rest: str) -> str:
    """The administration's path for an account; ids may hold anything, so they are percent-encoded."""
    return "/".join(["/api/admin/accounts", *(quote(part, safe="") for part in (account_id, *rest))])


def change(
    path: str,
    body: dict[str, Any],
    *,
    account_id: str,
    preview: Preview,
    yes: bool,
    key: str | None,
    database: str | None,
) -> Any:
    """Show the account and what is about to be done, ask (but for `yes`), do it, and give the answer.

    Nothing is held open while a person thinks.
    """
    from sixpence.cli.operator.operator import local_operator

    settings = settings_of(database=database)
    key = key or f"cli:{secrets.token_hex(8)}"
    sent = {name: value for name, value in body.items() if value is not None}
    with local_operator(settings) as operator:
        shown = operator.ask("POST", "/api/admin/accounts/show", {"account_id": account_id})
        click.echo(preview(operator, shown["credits"]))
        if yes:
            return operator.ask("POST", path, sent, key=key)
    _confirm()
    with local_operator(settings) as operator:
        return operator.ask("POST", path, sent, key=key)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise CommandRefusedError("Nothing was changed: nobody is here to be asked. Add --yes to do it without asking.")
    click.confirm("Go on?", abort=True)
