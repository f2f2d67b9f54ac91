"""`sixpence account refund`, `void` and `adjust`: correcting a charge, a grant or a balance."""

from typing import TYPE_CHECKING, Any

import click

from sixpence.cli.account.confirm import account_path, change, change_options
from sixpence.cli.terminal.options import Number

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("transaction_id", metavar="TRANSACTION")
@click.option("--amount", type=Number(), help="The number of credits to refund. Default: all that is not refunded yet.")
@change_options()
def refund(
    account_id: str,
    transaction_id: str,
    amount: int | None,
    reason: str,
    yes: bool,
    key: str | None,
    database: str | None,
) -> None:
    """Refund to the account ID the credits that TRANSACTION (a consume or a capture) consumed.

    \b
    Examples:
      sixpence account refund user_1 0198-... --reason "the picture was empty"
      sixpence account refund user_1 0198-... --amount 2 --reason "half of it was empty" --yes

    The credits return to the grants they came from. If a grant has expired since, its credits stay valid for the
    catalog's grace days. `sixpence account show` lists the ids of the latest transactions.
    """
    from sixpence.core.values.bounds import check_amount

    if amount is not None:
        check_amount("amount", amount)

    def preview(operator: "Operator", credits: dict[str, Any]) -> str:
        row = operator.request("GET", account_path(account_id, "transactions", transaction_id))
        charge = f"a {row['kind']} of {row['credits_consumed'] or 0} for {row['feature_used'] or 'nothing'}"
        part = "the rest" if amount is None else str(amount)
        return f"{account_id} has {credits['remaining']} credits; refunding {part} of {charge}, {row['created_at']}."

    done = change(
        account_path(account_id, "transactions", transaction_id, "refund"),
        {"amount": amount, "reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    click.echo(
        f"Refunded {done['refunded']} credits: {done['remaining']} remaining (transaction {done['transaction_id']})."
    )


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("grant_id", metavar="GRANT")
@click.option(
    "--revoke-spent", is_flag=True, help="Also take back its spent credits, as far as the plan's overdraft allows."
)
@change_options()
def void(
    account_id: str,
    grant_id: str,
    revoke_spent: bool,
    reason: str,
    yes: bool,
    key: str | None,
    database: str | None,
) -> None:
    """Cancel the remaining credits of GRANT on the account ID, permanently.

    \b
    Examples:
      sixpence account void user_1 0198-... --reason "granted twice"
      sixpence account void user_1 0198-... --revoke-spent --reason "the payment was reversed"

    An open hold can still capture its credits of the grant; credits that the hold releases are cancelled.
    `sixpence account show` lists the ids of the live grants.
    """

    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        live = next((each for each in credits["grants"] if each["id"] == grant_id), None)
        part = "a grant without remaining credits"
        if live is not None:
            part = f"{live['remaining'] - live['held']} of a {live['category']} grant of {live['amount']}"
            part += f", {live['held']} more are held" if live["held"] else ""
        also = " and revoking its spent credits" if revoke_spent else ""
        return f"{account_id} has {credits['remaining']} credits; voiding {part}{also}."

    done = change(
        account_path(account_id, "grants", grant_id, "void"),
        {"revoke_spent": revoke_spent, "reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    debt = f", {done['charged_back']} owed for spent credits" if done["charged_back"] else ""
    missing = f", {done['shortfall']} could not be taken back" if done["shortfall"] else ""
    click.echo(
        f"Voided {done['voided']} credits{debt}{missing}: {done['remaining']} remaining "
        f"(transaction {done['transaction_id']})."
    )


# Without this, click reads an amount below zero as an option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("account_id", metavar="ID")
@click.argument("amount", type=Number())
@change_options()
def adjust(account_id: str, amount: int, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Adjust the balance of the account ID by AMOUNT: up, or down if AMOUNT is below zero.

    \b
    Examples:
      sixpence account adjust user_1 5 --reason "lost in the move"
      sixpence account adjust user_1 -5 --reason "counted twice"

    A negative adjustment takes credits that no hold has reserved, in the order in which they would be spent. It is
    refused if it is more than remains.
    """
    from sixpence.service.requests.fields import correction

    correction(amount)

    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        step = f"adding {amount}" if amount > 0 else f"taking {-amount}"
        return f"{account_id} has {credits['remaining']} credits; {step}."

    done = change(
        account_path(account_id, "adjust"),
        {"amount": amount, "reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    click.echo(f"Adjusted by {done['amount']:+}: {done['remaining']} remaining (transaction {done['transaction_id']}).")
