"""`sixpence account holds` and `release`: the credits that running work has reserved."""

from typing import TYPE_CHECKING, Any

import click

from sixpence.cli.account.confirm import account_path, change, change_options
from sixpence.cli.account.output import print_holds
from sixpence.cli.terminal.options import database_option, json_option, read_settings
from sixpence.cli.terminal.printing import print_json

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator


@click.command()
@click.argument("account_id", metavar="ID")
@json_option
@database_option
def holds(account_id: str, as_json: bool, database: str | None) -> None:
    """List the open holds of the account ID: credits that running work has reserved.

    \b
    Example:
      sixpence account holds user_1

    A hold ends when the work captures or releases it, or when it expires.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        listed = operator.request("GET", account_path(account_id, "holds"))
    if as_json:
        print_json(listed)
    elif listed["holds"]:
        print_holds(listed["holds"])
    else:
        click.echo(f"{account_id} has no open holds.")


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("hold_id", metavar="HOLD")
@change_options()
def release(account_id: str, hold_id: str, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Release HOLD, so that the account ID can spend its credits again.

    \b
    Example:
      sixpence account release user_1 0198-... --reason "the worker is gone"

    Work that is still running can then no longer capture it.
    """

    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        return f"{account_id} has {credits['remaining']} credits, {credits['held']} held; releasing hold {hold_id}."

    done = change(
        account_path(account_id, "holds", hold_id, "release"),
        {"reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    click.echo(
        f"Released {done['released']} credits: {done['remaining']} remaining (transaction {done['transaction_id']})."
    )
