"""`sixpence account`: what an account has, and giving it credits."""

import secrets
from typing import Any

import click

from sixpence.cli.options import database_option, settings_of
from sixpence.cli.tables import facts, table


@click.group()
def account() -> None:
    """Show an account; grant it credits.

    \b
    Example:
      sixpence account show user_1
    """


@account.command()
@click.argument("account_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@database_option
def show(account_id: str, as_json: bool, database: str | None) -> None:
    """Show an account's credits, its live grants in the order in which they are spent, and its latest transactions.

    \b
    Examples:
      sixpence account show user_1
      sixpence account show user_1 --json

    ID is the app's own id of the customer, or the id that `sixpence user create` printed.
    """
    from sixpence.cli.administration import local_operator

    with local_operator(settings_of(database=database)) as operator:
        overview = operator.ask("POST", "/api/admin/accounts/show", {"account_id": account_id})
    if as_json:
        import json

        click.echo(json.dumps(overview, ensure_ascii=False, indent=2))
    else:
        _print(overview)


@account.command()
@click.argument("account_id", metavar="ID")
@click.argument("amount", type=int)
@click.option("--reason", required=True, help="Why; it is recorded, and the customer can read it.")
@click.option("--expires-at", metavar="TIME", help="When unspent credits expire, such as 2027-01-31T00:00:00Z.")
@click.option("--key", help="A name for this very grant: repeated with the same key, it is given once.")
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
    from sixpence.cli.administration import local_operator

    body = {"user_id": account_id, "amount": amount, "reason": reason, "expires_at": expires_at}
    with local_operator(settings_of(database=database)) as operator:
        before = operator.ask("POST", "/api/admin/accounts/show", {"account_id": account_id})["credits"]
        click.echo(f"{account_id} has {before['remaining']} credits; granting {amount}.")
        granted = operator.ask("POST", "/api/admin/credits/grant", body, key=key or f"cli:{secrets.token_hex(8)}")
    until = f" until {expires_at}" if expires_at else ""
    click.echo(
        f"Granted {granted['amount']} credits{until}: {granted['remaining']} remaining "
        f"(transaction {granted['transaction_id']})."
    )


def _print(overview: dict[str, Any]) -> None:
    credits = overview["credits"]
    facts(
        credits["account_id"],
        [
            ("label", credits["label"] or "none"),
            ("plan", credits["subscription_status"] + (", unlimited" if credits["unlimited"] else "")),
            ("remaining", str(credits["remaining"])),
            ("held", str(credits["held"])),
            ("total", str(credits["total"])),
            ("next expiry", credits["next_expiry_at"] or "none"),
            ("version", str(credits["version"])),
        ],
    )
    click.echo("\nLive grants, in the order in which they are spent")
    table(
        ("category", "remaining", "of", "held", "from", "expires", "features", "id"),
        [
            (
                each["category"],
                str(each["remaining"]),
                str(each["amount"]),
                str(each["held"]),
                each["effective_at"],
                each["expires_at"] or "never",
                ", ".join(each["features"] or ["all"]),
                each["id"],
            )
            for each in overview["grants"]
        ],
    )
    click.echo("\nLatest transactions")
    table(
        ("seq", "when", "kind", "amount", "balance", "feature", "reason", "by", "id"),
        [
            (
                str(each["seq"]),
                each["created_at"],
                each["kind"],
                f"{each['amount']:+}",
                str(each["balance_after"]),
                each["feature_used"] or "",
                each["reason"] or "",
                each["actor"] or "",
                each["id"],
            )
            for each in overview["transactions"]
        ],
    )
