"""`sixpence catalog`: show, check, compare and apply the prices and plans."""

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, json_option, read_settings
from sixpence.cli.terminal.printing import print_facts, print_json, print_table

_file = click.argument("file", type=click.Path(path_type=Path), default=Path("sixpence.toml"))


@click.group()
def catalog() -> None:
    """Show and change the prices and plans.

    A catalog is a file, sixpence.toml: a table for each feature with its price, and one for each plan with its
    credits. Editing the file changes nothing; applying it does. docs/catalog.md describes every setting.

    \b
    Example:
      sixpence catalog check sixpence.toml    is it valid?
      sixpence catalog diff sixpence.toml     what would change, for which accounts?
      sixpence catalog apply sixpence.toml    put it in force
    """


@catalog.command()
@json_option
@database_option
def show(as_json: bool, database: str | None) -> None:
    """Show the catalog in force.

    \b
    Example:
      sixpence catalog show
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        answer = operator.request("GET", "/api/admin/catalog")
    if as_json:
        print_json(answer)
        return
    from sixpence.core.catalog import wording
    from sixpence.core.catalog.catalog import PricedBy

    priced_by = msgspec.convert(answer, PricedBy)
    in_force = priced_by.catalog
    print_facts(
        f"Catalog, version {priced_by.version}",
        [
            ("default plan", in_force.default_plan),
            ("decimals", str(in_force.decimals)),
            ("grace days", str(in_force.grace_days)),
        ],
    )
    click.echo()
    features = in_force.features.items()
    print_table(("feature", "price", "title"), [(name, wording.price(each), each.title) for name, each in features])
    click.echo()
    plans = in_force.plans.items()
    print_table(("plan", "gives", "title"), [(name, wording.gifts(each), each.title) for name, each in plans])


@catalog.command()
@_file
def check(file: Path) -> None:
    """Check the catalog in FILE (default: sixpence.toml), and list every problem with its remedy.

    Needs no server and no database, and changes nothing: use it in an editor, a commit hook or a pipeline.
    The exit status is 0 for a catalog that can be applied, 1 for one that cannot. A note names a setting that is
    valid and has no effect.

    \b
    Example:
      sixpence catalog check sixpence.toml
    """
    from sixpence.core.catalog.notes import list_notes
    from sixpence.core.catalog.toml import from_toml
    from sixpence.core.errors import CatalogError

    try:
        checked = from_toml(_read_text(file))
    except CatalogError as error:
        problems = "".join(f"\n  - {problem}" for problem in error.problems)
        raise CommandRefusedError(f"{file} is not a valid catalog:{problems}") from None
    features, plans = ", ".join(checked.features), ", ".join(checked.plans)
    click.echo(f"{file} is a valid catalog. Features: {features}. Plans: {plans}.")
    click.echo(f"New accounts start on {checked.default_plan}.")
    for note in list_notes(checked):
        click.echo(f"Note: {note}")


@catalog.command()
@_file
@database_option
def diff(file: Path, database: str | None) -> None:
    """Compare FILE (default: sixpence.toml) with the catalog in force: what would change, for which accounts.

    Changes nothing. It also counts the accounts on each plan that changes or disappears. The exit status is 0
    with and without differences, 1 for a file with problems.

    \b
    Example:
      sixpence catalog diff sixpence.toml
    """
    from sixpence.cli.operator.operator import local_operator

    text = _read_text(file)
    with local_operator(read_settings(database=database)) as operator:
        compared = operator.request("POST", "/api/admin/catalog/diff", {"toml": text})
    if compared["differences"]:
        _print_differences(file, compared)
        click.echo(f"To put it in force: sixpence catalog apply {file}")
    else:
        click.echo(f"{file} changes nothing: it equals version {compared['version']}, which is in force.")


@catalog.command()
@_file
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@database_option
def apply(file: Path, yes: bool, database: str | None) -> None:
    """Put the catalog in FILE (default: sixpence.toml) in force, at once, for every server on the database.

    First shows what changes, as `sixpence catalog diff` does. On a terminal it then asks for confirmation, unless
    --yes is given.

    \b
    Example:
      sixpence catalog apply sixpence.toml
      sixpence catalog apply --yes sixpence.toml

    A file with problems changes nothing, and every problem is listed. Every applied version is kept: existing
    transactions keep their prices, and a hold is captured at the prices of the time when it was placed.
    """
    from sixpence.cli.operator.operator import local_operator

    text = _read_text(file)
    with local_operator(read_settings(database=database)) as operator:
        compared = operator.request("POST", "/api/admin/catalog/diff", {"toml": text})
        if compared["differences"]:
            _print_differences(file, compared)
            if not yes and sys.stdin.isatty() and not click.confirm("Put it in force?"):
                raise CommandRefusedError("Nothing was changed.")
        applied = operator.request("POST", "/api/admin/catalog", {"toml": text})
    if applied["version"] == applied["version_before"]:
        click.echo(f"{file} is in force already, as version {applied['version']}.")
    else:
        click.echo(f"{file} is in force as version {applied['version']}; before it was {applied['version_before']}.")


def _print_differences(file: Path, compared: dict[str, Any]) -> None:
    click.echo(f"{file} changes version {compared['version']}, which is in force:")
    for difference in compared["differences"]:
        click.echo(f"- {difference}")
    if compared["accounts"]:
        counted = ", ".join(f"{count} on {plan}" for plan, count in compared["accounts"].items())
        click.echo(f"Accounts on these plans: {counted}.")


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CommandRefusedError(f"file: {file} cannot be read ({reason}). Name a sixpence.toml.") from error
