"""`sixpence account balance`, `statement` and `explain`: an account's past balance, its movements, and the reasons."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

import click

from sixpence.cli.account.confirm import account_path
from sixpence.cli.terminal.options import database_option, json_option, read_settings
from sixpence.cli.terminal.printing import print_json


@click.command()
@click.argument("account_id", metavar="ID")
@click.option(
    "--at", metavar="TIME", help="Such as 2026-11-01T09:30:00Z, or 2026-11-01 for its midnight. Default: now."
)
@json_option
@database_option
def balance(account_id: str, at: str | None, as_json: bool, database: str | None) -> None:
    """Show the balance of the account ID at a time, in UTC.

    \b
    Examples:
      sixpence account balance user_1
      sixpence account balance user_1 --at 2026-11-01

    The balance includes every transaction up to and including that instant.
    """
    past = _get(account_path(account_id, "balance") + _query(at=at), database)
    if as_json:
        print_json(past)
        return
    if not past["changed_at"]:
        click.echo("The account did not exist then.")
        return
    since = f"since {past['changed_at']} (transaction {past['transaction_id']})"
    click.echo(
        f"{past['account_id']} had {past['remaining']} remaining and {past['held']} held at {past['at']}, {since}."
    )


@click.command()
@click.argument("account_id", metavar="ID")
@click.option("--since", metavar="TIME", help="The start, such as 2026-11-01. Default: 30 days before the end.")
@click.option("--until", metavar="TIME", help="The end, not included, such as 2026-12-01. Default: now.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV, for a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, of 10,000 movements at most.")
@database_option
def statement(
    account_id: str, since: str | None, until: str | None, as_csv: bool, as_json: bool, database: str | None
) -> None:
    """Print the statement of the account ID: the opening balance, each movement, and the closing balance.

    \b
    Examples:
      sixpence account statement user_1
      sixpence account statement user_1 --since 2026-11-01 --until 2026-12-01 --csv > november.csv

    A time is written as 2026-11-01T09:30:00Z, or as a day, which means its midnight. All times are UTC.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json were both given. Choose one.")
    wanted_format = "csv" if as_csv else "json" if as_json else "text"
    path = account_path(account_id, "statement") + _query(since=since, until=until, format=wanted_format)
    if as_json:
        print_json(_get(path, database))
        return
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        text = operator.request_text(path)
    # Unchanged: CSV has its own line ends.
    click.echo(text, nl=False)


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("transaction_id", metavar="[TRANSACTION]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, with more facts than the text.")
@database_option
def explain(account_id: str, transaction_id: str | None, as_json: bool, database: str | None) -> None:
    """Explain the balance of the account ID, or one TRANSACTION of it.

    \b
    Examples:
      sixpence account explain user_1
      sixpence account explain user_1 0198-...

    The explanation of a transaction has its rules and prices, the grants that paid, and the refunds since.
    """
    subpath = ("explain",) if transaction_id is None else ("transactions", transaction_id, "explain")
    explanation = _get(account_path(account_id, *subpath), database)
    if as_json:
        print_json(explanation)
        return
    for line in explanation["words"]:
        click.echo(line)


def _get(path: str, database: str | None) -> Any:
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        return operator.request("GET", path)


def _query(**named: str | None) -> str:
    """The query string of the given values; a day becomes its midnight."""
    sent = {name: _to_instant(value) for name, value in named.items() if value is not None}
    return f"?{urlencode(sent)}" if sent else ""


def _to_instant(text: str) -> str:
    try:
        is_day = date.fromisoformat(text).isoformat() == text
    except ValueError:
        return text
    return f"{text}T00:00:00Z" if is_day else text
