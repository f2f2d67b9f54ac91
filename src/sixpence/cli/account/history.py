"""`sixpence account balance`, `statement` and `explain`: what it had, what happened, and why it is as it is."""

from datetime import date
from typing import Any
from urllib.parse import urlencode

import click

from sixpence.cli.account.confirm import account_path
from sixpence.cli.terminal.options import database_option, settings_of


@click.command()
@click.argument("account_id", metavar="ID")
@click.option(
    "--at", metavar="TIME", help="Such as 2026-11-01T09:30:00Z, or 2026-11-01 for its midnight; now if left out."
)
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@database_option
def balance(account_id: str, at: str | None, as_json: bool, database: str | None) -> None:
    """Show what the account ID had at a time, in UTC.

    \b
    Examples:
      sixpence account balance user_1
      sixpence account balance user_1 --at 2026-11-01

    Whatever happened up to that time is counted, also at the very instant.
    """
    had = _ask(account_path(account_id, "balance") + _query(at=at), database)
    if as_json:
        _print_json(had)
        return
    since = f"since {had['changed_at']} (transaction {had['transaction_id']})" if had["changed_at"] else "not there yet"
    click.echo(f"{had['account_id']} had {had['remaining']} remaining and {had['held']} held at {had['at']}, {since}.")


@click.command()
@click.argument("account_id", metavar="ID")
@click.option("--since", metavar="TIME", help="From when, such as 2026-11-01: by default 30 days before the end.")
@click.option("--until", metavar="TIME", help="Up to when, which is left out, such as 2026-12-01: by default now.")
@click.option("--csv", "as_csv", is_flag=True, help="As CSV, for a spreadsheet.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document, of 10,000 movements at most.")
@database_option
def statement(
    account_id: str, since: str | None, until: str | None, as_csv: bool, as_json: bool, database: str | None
) -> None:
    """Print the statement of the account ID: what it had first, each movement, and what it had last.

    \b
    Examples:
      sixpence account statement user_1
      sixpence account statement user_1 --since 2026-11-01 --until 2026-12-01 --csv > november.csv

    A time is 2026-11-01T09:30:00Z, or a day for its midnight; all are UTC.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json were both given. Choose one.")
    form = "csv" if as_csv else "json" if as_json else "text"
    path = account_path(account_id, "statement") + _query(since=since, until=until, format=form)
    if as_json:
        _print_json(_ask(path, database))
        return
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        text = operator.read(path)
    # As it came: CSV has line ends of its own.
    click.echo(text, nl=False)


@click.command()
@click.argument("account_id", metavar="ID")
@click.argument("transaction_id", metavar="[TRANSACTION]", required=False)
@click.option("--json", "as_json", is_flag=True, help="As one JSON document, with more facts than the words.")
@database_option
def explain(account_id: str, transaction_id: str | None, as_json: bool, database: str | None) -> None:
    """Tell why the account ID has what it has, or why one TRANSACTION of it is what it is.

    \b
    Examples:
      sixpence account explain user_1
      sixpence account explain user_1 0198-...

    Of a transaction: what it was, by which rules and prices, which grants paid, and what came back since.
    """
    below = ("explain",) if transaction_id is None else ("transactions", transaction_id, "explain")
    told = _ask(account_path(account_id, *below), database)
    if as_json:
        _print_json(told)
        return
    for line in told["words"]:
        click.echo(line)


def _ask(path: str, database: str | None) -> Any:
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        return operator.ask("GET", path)


def _print_json(document: Any) -> None:
    import json

    click.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _query(**named: str | None) -> str:
    """The query string of what was given; a day stands for its midnight."""
    sent = {name: _time(value) for name, value in named.items() if value is not None}
    return f"?{urlencode(sent)}" if sent else ""


def _time(text: str) -> str:
    try:
        is_day = date.fromisoformat(text).isoformat() == text
    except ValueError:
        return text
    return f"{text}T00:00:00Z" if is_day else text
