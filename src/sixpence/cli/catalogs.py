"""`sixpence catalog`: what things cost and who gets what."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.cli.terminal.tables import facts, table

_file = click.argument("file", type=click.Path(path_type=Path), default=Path("sixpence.toml"))


@click.group()
def catalog() -> None:
    """Show and change what things cost and who gets what.

    A catalog is a file, sixpence.toml: a table for each feature with its price, and one for each plan with what it
    gives. Editing the file changes nothing; applying it does. docs/catalog.md describes every setting.

    \b
    Example:
      sixpence catalog check sixpence.toml    is it valid?
      sixpence catalog diff sixpence.toml     what would change, for whom?
      sixpence catalog apply sixpence.toml    put it in force
    """


@catalog.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@database_option
def show(as_json: bool, database: str | None) -> None:
    """Show the catalog in force.

    \b
    Example:
      sixpence catalog show
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        answer = operator.ask("GET", "/api/admin/catalog")
    if as_json:
        import json

        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    from sixpence.core.catalog import wording
    from sixpence.core.catalog.catalog import PricedBy

    priced_by = msgspec.convert(answer, PricedBy)
    in_force = priced_by.catalog
    facts(
        f"Catalog, version {priced_by.version}",
        [
            ("default plan", in_force.default_plan),
            ("decimals", str(in_force.decimals)),
            ("grace days", str(in_force.grace_days)),
        ],
    )
    click.echo()
    features = in_force.features.items()
    table(("feature", "price", "title"), [(name, wording.price(each), each.title) for name, each in features])
    click.echo()
    plans = in_force.plans.items()
    table(("plan", "gives", "title"), [(name, wording.gifts(each), each.title) for name, each in plans])


@catalog.command()
@_file
def check(file: Path) -> None:
    """Check the catalog in FILE (sixpence.toml by default) and name every problem in it, with what to write instead.

    Needs neither a server nor a database, and changes nothing: it suits an editor, a commit hook and a pipeline.
    The exit status is 0 for a catalog that can be applied, 1 for one that cannot.

    \b
    Example:
      sixpence catalog check sixpence.toml
    """
    from sixpence.core.catalog.toml import from_toml
    from sixpence.core.errors import CatalogError

    try:
        checked = from_toml(_text_of(file))
    except CatalogError as error:
        problems = "".join(f"\n  - {problem}" for problem in error.problems)
        raise CommandRefusedError(f"{file} is not a valid catalog:{problems}") from None
    features, plans = ", ".join(checked.features), ", ".join(checked.plans)
    click.echo(f"{file} is a valid catalog. Features: {features}. Plans: {plans}.")
    click.echo(f"New accounts start on {checked.default_plan}.")


@catalog.command()
@_file
@database_option
def diff(file: Path, database: str | None) -> None:
    """Say what applying FILE (sixpence.toml by default) would change against the catalog in force, and for whom.

    Changes nothing. It also counts the accounts that are on each plan that changes or goes. The exit status is 0
    whether or not something would change, 1 for a file with problems.

    \b
    Example:
      sixpence catalog diff sixpence.toml
    """
    from sixpence.cli.operator.operator import local_operator

    text = _text_of(file)
    with local_operator(settings_of(database=database)) as operator:
        compared = operator.ask("POST", "/api/admin/catalog/diff", {"toml": text})
    if compared["differences"]:
        _say_what_changes(file, compared)
        click.echo(f"To put it in force: sixpence catalog apply {file}")
    else:
        click.echo(f"{file} changes nothing: version {compared['version']}, which is in force, says the same.")


@catalog.command()
@_file
@click.option("--yes", is_flag=True, help="Do not ask before it is put in force.")
@database_option
def apply(file: Path, yes: bool, database: str | None) -> None:
    """Put the catalog in FILE (sixpence.toml by default) in force, for every server on the database, at once.

    Says first what changes for whom, as `sixpence catalog diff` does; on a terminal it then asks, unless --yes is
    given.

    \b
    Example:
      sixpence catalog apply sixpence.toml
      sixpence catalog apply --yes sixpence.toml

    The file is checked whole and every problem in it is named; then nothing is changed. Every version that was ever
    applied is kept: what is on record keeps its price, and a hold is captured at the prices of its placing.
    """
    from sixpence.cli.operator.operator import local_operator

    text = _text_of(file)
    with local_operator(settings_of(database=database)) as operator:
        compared = operator.ask("POST", "/api/admin/catalog/diff", {"toml": text})
        if compared["differences"]:
            _say_what_changes(file, compared)
            if not yes and sys.stdin.isatty() and not click.confirm("Put it in force?"):
                raise CommandRefusedError("Nothing was changed.")
        applied = operator.ask("POST", "/api/admin/catalog", {"toml": text})
    if applied["version"] == applied["version_before"]:
        click.echo(f"{file} is in force already, as version {applied['version']}.")
    else:
        click.echo(f"{file} is in force as version {applied['version']}; before it was {applied['version_before']}.")


def _say_what_changes(file: Path, compared: dict[str, Any]) -> None:
    click.echo(f"What {file} changes of version {compared['version']}, which is in force:")
    for difference in compared["differences"]:
        click.echo(f"- {difference}")
    if compared["accounts"]:
        counted = ", ".join(f"{count} on {plan}" for plan, count in compared["accounts"].items())
        click.echo(f"Accounts on the plans concerned: {counted}.")


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CommandRefusedError(f"file: {file} cannot be read ({reason}). Name a sixpence.toml.") from error
