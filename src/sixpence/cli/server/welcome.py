"""The table that a server prints at its start: API address, data, catalog, and the first commands to try."""

import shlex
from collections.abc import Sequence

import click

from sixpence import __version__
from sixpence.cli.server.sockets import ALL_INTERFACES, url_for
from sixpence.cli.terminal import database
from sixpence.cli.terminal.printing import print_facts
from sixpence.cli.terminal.program import program_name
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.catalog.diff import differences
from sixpence.settings import Settings
from sixpence.wiring import CATALOG_FILE, chosen_catalog


def print_welcome(settings: Settings, in_force: PricedBy, *, first_rows: Sequence[tuple[str, str]] = ()) -> None:
    """Print the table; `first_rows` are added above the others."""
    address = url_for(settings.host, settings.port)
    rows = [
        *first_rows,
        ("API", f"{address}{_other_addresses(settings)}"),
        ("data", database.display_name(settings)),
        ("catalog", _describe_catalog(in_force, settings)),
        ("a key", f"K=$({program_name()} key create{database.option_for(settings)})"),
        ("an account", _curl(f"{address}/v1/accounts", '{"account_id": "user_1"}')),
    ]
    features = list(in_force.catalog.features)
    if features:
        consume = _curl(f"{address}/v1/accounts/user_1/consume", f'{{"feature": "{features[0]}"}}')
        rows.append(("consume", consume))
    print_facts(f"Sixpence {__version__}", rows)
    click.echo("Stop it with Ctrl-C.")


def _describe_catalog(in_force: PricedBy, settings: Settings) -> str:
    """The version in force, and its differences from the catalog file, one line each."""
    file = settings.catalog or (str(CATALOG_FILE) if CATALOG_FILE.exists() else "")
    if not file:
        return f"version {in_force.version}"
    changes = differences(in_force.catalog, chosen_catalog(settings))
    if not changes:
        return f"version {in_force.version}, as in {file}"
    return "\n".join(
        [
            f"version {in_force.version}, which {file} would change:",
            *(f"- {change}" for change in changes),
            f"To put the file in force: sixpence catalog apply {file}",
        ]
    )


def _other_addresses(settings: Settings) -> str:
    others = ", and every other address of this machine" if settings.host in ALL_INTERFACES else ""
    return f"{others}, for browsers {settings.base_url}" if settings.base_url else others


def _curl(url: str, body: str) -> str:
    return f'curl -s {url} -H "Authorization: Bearer $K" -d {shlex.quote(body)}'
