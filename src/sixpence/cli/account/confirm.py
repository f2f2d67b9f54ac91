"""How a command changes an account: it prints a preview, asks for confirmation, and makes the change under a key.

Not here: the commands (`corrections`, `holds`, `plans`), which print the result.
"""

import secrets
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import click

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, read_settings

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator

Command = TypeVar("Command", bound=Callable[..., Any])
# Describes the change in a sentence, from the account's credits and further requests.
Preview = Callable[["Operator", dict[str, Any]], str]


def change_options(*, confirms: bool = True) -> Callable[[Command], Command]:
    """The options of a command that changes an account: `--reason`, `--yes` if it confirms, `--key`, `--database`."""

    def decorate(command: Command) -> Command:
        command = click.option(
            "--key", help="An idempotency key: repeated with the same key, the change is made only once."
        )(database_option(command))
        if confirms:
            command = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")(command)
        return click.option(
            "--reason", required=True, help="The reason. It is recorded, and the customer can read it."
        )(command)

    return decorate


def account_path(account_id: str, *rest: str) -> str:
    """The path of an account's administration endpoint; ids are percent-encoded, since they hold any character."""
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
    """Print the preview, ask for confirmation (unless `yes`), make the change, and return the response's document.

    No connection and no lock is held while a person decides.
    """
    from sixpence.cli.operator.operator import local_operator

    settings = read_settings(database=database)
    key = key or f"cli:{secrets.token_hex(8)}"
    sent = {name: value for name, value in body.items() if value is not None}
    with local_operator(settings) as operator:
        overview = operator.request("POST", "/api/admin/accounts/show", {"account_id": account_id})
        click.echo(preview(operator, overview["credits"]))
        if yes:
            return operator.request("POST", path, sent, key=key)
    _confirm()
    with local_operator(settings) as operator:
        return operator.request("POST", path, sent, key=key)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise CommandRefusedError("Nothing was changed: without a terminal nobody can confirm. Add --yes.")
    click.confirm("Continue?", abort=True)
