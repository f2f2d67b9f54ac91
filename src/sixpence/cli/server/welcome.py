"""What a server says when it starts: where it answers, where the data is, what prices, and what to try first."""

import shlex
from collections.abc import Sequence

import click

from sixpence import __version__
from sixpence.cli.server.sockets import EVERYWHERE, url_at
from sixpence.cli.terminal import database
from sixpence.cli.terminal.program import typed
from sixpence.cli.terminal.tables import facts
from sixpence.core.catalog.catalog import PricedBy
from sixpence.core.catalog.diff import differences
from sixpence.settings import Settings
from sixpence.wiring import CATALOG_FILE, chosen_catalog


def welcome(settings: Settings, applied: PricedBy, *, more: Sequence[tuple[str, str]] = ()) -> None:
    """Print the table; `more` are rows of one's own, put first."""
    address = url_at(settings.host, settings.port)
    rows = [
        *more,
        ("API", f"{address}{_also_at(settings)}"),
        ("data", database.shown(settings)),
        ("catalog", _catalog_in_force(applied, settings)),
        ("a key", f"K=$({typed()} key create{database.option_for(settings)})"),
        ("an account", _curl(f"{address}/v1/accounts", '{"account_id": "user_1"}')),
    ]
    features = list(applied.catalog.features)
    if features:
        consume = _curl(f"{address}/v1/accounts/user_1/consume", f'{{"feature": "{features[0]}"}}')
        rows.append(("consume", consume))
    facts(f"Sixpence {__version__}", rows)
    click.echo("Stop it with Ctrl-C.")


def _catalog_in_force(applied: PricedBy, settings: Settings) -> str:
    """Which version is in force, and how the catalog file differs from it, one line each."""
    file = settings.catalog or (str(CATALOG_FILE) if CATALOG_FILE.exists() else "")
    if not file:
        return f"version {applied.version}"
    different = differences(applied.catalog, chosen_catalog(settings))
    if not different:
        return f"version {applied.version}, as in {file}"
    return "\n".join(
        [
            f"version {applied.version}, which {file} would change:",
            *(f"- {difference}" for difference in different),
            f"To put the file in force: sixpence catalog apply {file}",
        ]
    )


def _also_at(settings: Settings) -> str:
    said = ", and every other address of this machine" if settings.host in EVERYWHERE else ""
    return f"{said}, for browsers {settings.base_url}" if settings.base_url else said


def _curl(url: str, body: str) -> str:
    return f'curl -s {url} -H "Authorization: Bearer $K" -d {shlex.quote(body)}'
