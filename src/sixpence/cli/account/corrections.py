"""`sixpence account refund`, `void` and `adjust`: putting right what was charged or given."""

from typing import TYPE_CHECKING, Any

import click

from sixpence.cli.account.confirm import account_path, change, change_options

if TYPE_CHECKING:
    from sixpence.cli.operator.operator import Operator


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("transaction_id", metavar="TRANSACTION")
@click.option("--amount", type=int, help="How many credits to give back; otherwise all that is left of it.")
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
    """Give back to the account ID what TRANSACTION (a consume or a capture) consumed.

    \b
    Examples:
      sixpence account refund user_1 0198-... --reason "the picture was empty"
      sixpence account refund user_1 0198-... --amount 2 --reason "half of it was empty" --yes

    The credits return to the very grants they came from. Where one has expired since, they live for a time of grace.
    `sixpence account show` has the ids of the latest transactions.
    """

    from sixpence.core.values.bounds import check_amount

    if amount is not None:
        check_amount("amount", amount)

    def preview(operator: "Operator", credits: dict[str, Any]) -> str:
        row = operator.ask("GET", account_path(account_id, "transactions", transaction_id))
        what = f"a {row['kind']} of {row['credits_consumed'] or 0} for {row['feature_used'] or 'nothing'}"
        how_many = "what is left" if amount is None else str(amount)
        return (
            f"{account_id} has {credits['remaining']} credits; giving back {how_many} of {what}, {row['created_at']}."
        )

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
    "--revoke-spent", is_flag=True, help="Take back what was spent of it, too, as far as the plan allows debt."
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
    """Cancel what remains of GRANT on the account ID, for good.

    \b
    Examples:
      sixpence account void user_1 0198-... --reason "granted twice"
      sixpence account void user_1 0198-... --revoke-spent --reason "the payment was taken back"

    What a hold has set aside of it can still be captured; what the hold gives back is gone. `sixpence account show` has
    the ids of the live grants.
    """

    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        live = next((each for each in credits["grants"] if each["id"] == grant_id), None)
        what = "a grant of which nothing remains"
        if live is not None:
            what = f"{live['remaining'] - live['held']} of a {live['category']} grant of {live['amount']}"
            what += f", {live['held']} more are held" if live["held"] else ""
        also = " and revoking what was spent of it" if revoke_spent else ""
        return f"{account_id} has {credits['remaining']} credits; voiding {what}{also}."

    done = change(
        account_path(account_id, "grants", grant_id, "void"),
        {"revoke_spent": revoke_spent, "reason": reason},
        account_id=account_id,
        preview=preview,
        yes=yes,
        key=key,
        database=database,
    )
    debt = f", {done['charged_back']} owed for what was spent" if done["charged_back"] else ""
    missing = f", {done['shortfall']} could not be taken back" if done["shortfall"] else ""
    click.echo(
        f"Voided {done['voided']} credits{debt}{missing}: {done['remaining']} remaining "
        f"(transaction {done['transaction_id']})."
    )


# Without this, an amount below zero would be taken for an option.
@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("account_id", metavar="ID")
@click.argument("amount", type=int)
@change_options()
def adjust(account_id: str, amount: int, reason: str, yes: bool, key: str | None, database: str | None) -> None:
    """Correct the balance of the account ID by AMOUNT, up or (below zero) down.

    \b
    Examples:
      sixpence account adjust user_1 5 --reason "lost in the move"
      sixpence account adjust user_1 -5 --reason "counted twice"

    Down takes what no hold has set aside, in the order in which it would be spent; more than there is is refused.
    """

    from sixpence.service.requests.fields import correction

    correction(amount)

    def preview(_operator: "Operator", credits: dict[str, Any]) -> str:
        what = f"adding {amount}" if amount > 0 else f"taking {-amount}"
        return f"{account_id} has {credits['remaining']} credits; {what}."

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
