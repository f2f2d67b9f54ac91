"""`sixpence account usage`: what an account used, by day and feature."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import click

from sixpence.cli.account.confirm import account_path
from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.cli.terminal.tables import table

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("account_id", metavar="ID")
@click.option("--since", metavar="DAY", type=DAY, help="The first day, such as 2026-11-01: by default 30 days back.")
@click.option("--until", metavar="DAY", type=DAY, help="The day after the last one: by default tomorrow.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@database_option
def usage(account_id: str, since: datetime | None, until: datetime | None, as_json: bool, database: str | None) -> None:
    """Show what the account ID used of each feature, by day in UTC, newest first.

    \b
    Examples:
      sixpence account usage user_1
      sixpence account usage user_1 --since 2026-11-01 --until 2026-12-01

    A running server counts after the fact: the last line says up to when everything is counted. A refund is shown on
    the day it was made.
    """
    from sixpence.cli.operator.operator import local_operator

    days = {name: f"{day:%Y-%m-%d}" for name, day in (("since", since), ("until", until)) if day is not None}
    query = f"?{urlencode(days)}" if days else ""
    with local_operator(settings_of(database=database)) as operator:
        used = operator.ask("GET", account_path(account_id, "usage") + query)
    if as_json:
        import json

        click.echo(json.dumps(used, ensure_ascii=False, indent=2))
    else:
        _print_usage(used)


def _print_usage(used: dict[str, Any]) -> None:
    if used["days"]:
        names = ("day", "feature", "uses", "credits_consumed", "credits_refunded")
        headers = ("day", "feature", "uses", "consumed", "refunded")
        table(headers, [[str(each[name]) for name in names] for each in used["days"]])
    else:
        click.echo(f"{used['account_id']} used nothing from {used['since']} until {used['until']}.")
    click.echo(f"Complete until {used['complete_until']}.")
