"""`sixpence account`: the group of all commands for one account, with `show` and `grant`."""

import secrets

import click

from sixpence.cli.account.corrections import adjust, refund, void
from sixpence.cli.account.history import balance, explain, statement
from sixpence.cli.account.holds import holds, release
from sixpence.cli.account.output import print_overview
from sixpence.cli.account.plans import cancel_plan, close, freeze, plan, unfreeze
from sixpence.cli.account.usage import usage
from sixpence.cli.terminal.options import Number, database_option, json_option, read_settings
from sixpence.cli.terminal.printing import print_json


@click.group()
def account() -> None:
    """Show an account; grant credits, take them back, correct mistakes.

    \b
    Example:
      sixpence account show user_1
      sixpence account refund user_1 TRANSACTION --reason "the picture was empty"

    A command that moves credits shows the change first and asks for confirmation; --yes skips that. Every change takes
    a --key: repeated with the same key, it is made only once. The ledger records the operator and the reason, and the
    customer can read them.
    """


@account.command()
@click.argument("account_id", metavar="ID")
@json_option
@database_option
def show(account_id: str, as_json: bool, database: str | None) -> None:
    """Show an account: its credits, its live grants in the order in which they are spent, its latest transactions.

    \b
    Examples:
      sixpence account show user_1
      sixpence account show user_1 --json

    ID is the app's own id of the customer, or the id that `sixpence user create` printed.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        overview = operator.request("POST", "/api/admin/accounts/show", {"account_id": account_id})
    if as_json:
        print_json(overview)
    else:
        print_overview(overview)


@account.command()
@click.argument("account_id", metavar="ID")
@click.argument("amount", type=Number())
@click.option("--reason", required=True, help="The reason. It is recorded, and the customer can read it.")
@click.option("--expires-at", metavar="TIME", help="When unspent credits expire, such as 2027-01-31T00:00:00Z.")
@click.option("--key", help="An idempotency key: repeated with the same key, the grant is made only once.")
@database_option
def grant(
    account_id: str, amount: int, reason: str, expires_at: str | None, key: str | None, database: str | None
) -> None:
    """Grant AMOUNT credits to the account ID.

    \b
    Examples:
      sixpence account grant user_1 10 --reason "sorry for the outage"
      sixpence account grant user_1 100 --reason "spring offer" --expires-at 2027-03-31T00:00:00Z --key spring-user_1
    """
    from sixpence.cli.operator.operator import local_operator
    from sixpence.core.values.bounds import check_amount

    check_amount("amount", amount)
    body = {"user_id": account_id, "amount": amount, "reason": reason, "expires_at": expires_at}
    with local_operator(read_settings(database=database)) as operator:
        before = operator.request("POST", "/api/admin/accounts/show", {"account_id": account_id})["credits"]
        click.echo(f"{account_id} has {before['remaining']} credits; granting {amount}.")
        granted = operator.request("POST", "/api/admin/credits/grant", body, key=key or f"cli:{secrets.token_hex(8)}")
    until = f" until {expires_at}" if expires_at else ""
    click.echo(
        f"Granted {granted['amount']} credits{until}: {granted['remaining']} remaining "
        f"(transaction {granted['transaction_id']})."
    )


for each in (
    balance,
    statement,
    explain,
    refund,
    void,
    adjust,
    plan,
    cancel_plan,
    freeze,
    unfreeze,
    close,
    holds,
    release,
    usage,
):
    account.add_command(each)
