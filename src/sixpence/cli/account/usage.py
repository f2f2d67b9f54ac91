"""`sixpence account usage`: an account's usage by day and feature."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import click

from sixpence.cli.account.confirm import account_path
from sixpence.cli.terminal.options import database_option, json_option, read_settings
from sixpence.cli.terminal.printing import print_json, print_table

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("account_id", metavar="ID")
@click.option("--since", metavar="DAY", type=DAY, help="The first day, such as 2026-11-01. Default: 30 days back.")
@click.option("--until", metavar="DAY", type=DAY, help="The day after the last one. Default: tomorrow.")
@json_option
@database_option
def usage(account_id: str, since: datetime | None, until: datetime | None, as_json: bool, database: str | None) -> None:
    """Show the usage of the account ID by day (UTC) and feature, newest first.

    \b
    Examples:
      sixpence account usage user_1
      sixpence account usage user_1 --since 2026-11-01 --until 2026-12-01

    A running server counts usage a moment later: the last line has the time until which the counts are complete. A
    refund counts on the day on which it was made.
    """
    from sixpence.cli.operator.operator import local_operator

    days = {name: f"{day:%Y-%m-%d}" for name, day in (("since", since), ("until", until)) if day is not None}
    query = f"?{urlencode(days)}" if days else ""
    with local_operator(read_settings(database=database)) as operator:
        report = operator.request("GET", account_path(account_id, "usage") + query)
    if as_json:
        print_json(report)
    else:
        _print_usage(report)


def _print_usage(report: dict[str, Any]) -> None:
    if report["days"]:
        names = ("day", "feature", "uses", "credits_consumed", "credits_refunded")
        headers = ("day", "feature", "uses", "consumed", "refunded")
        print_table(headers, [[str(each[name]) for name in names] for each in report["days"]])
    else:
        click.echo(f"{report['account_id']} used nothing from {report['since']} until {report['until']}.")
    click.echo(f"Complete until {report['complete_until']}.")
