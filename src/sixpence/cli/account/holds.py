"""`sixpence account holds` and `release`: what running work has set aside."""

from typing import TYPE_CHECKING, Any

import click

from sixpence.cli.account.confirm import account_path, change, change_options
from sixpence.cli.account.output import print_holds
from sixpence.cli.terminal.options import database_option, settings_of

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator


@click.command()
@click.argument("account_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@database_option
def holds(account_id: str, as_json: bool, database: str | None) -> None:
    """List the open holds of the account ID: credits that running work has set aside.

    \b
    Example:
      sixpence account holds user_1

    A hold ends when the work captures or releases it, and by itself when it expires.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        listed = operator.ask("GET", account_path(account_id, "holds"))
    if as_json:
        import json

        click.echo(json.dumps(listed, ensure_ascii=False, indent=2))
    elif listed["holds"]:
        print_holds(listed["holds"])
    else:
        click.echo(f"{account_id} has no open holds.")


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("hold_id", metavar="HOLD")
@change_options()
def release(account_id: str, hold_id: str, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Give back what HOLD has set aside on the account ID.

    \b
    Example:
      sixpence account release user_1 0198-... --reason "the worker is gone"

    Work that is still running for it can then no longer capture it.
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
