"""`sixpence catalog`: what things cost and who gets what."""

from pathlib import Path

import click
import msgspec

from sixpence.cli.errors import CommandRefusedError
from sixpence.cli.options import database_option, settings_of
from sixpence.cli.tables import facts, table


@click.group()
def catalog() -> None:
    """Show and change what things cost and who gets what.

    \b
    Example:
      sixpence catalog apply sixpence.toml
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
    from sixpence.cli.administration import local_operator

    with local_operator(settings_of(database=database)) as operator:
        answer = operator.ask("GET", "/api/admin/catalog")
    if as_json:
        import json

        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    from sixpence.core.catalog import PricedBy

    priced_by = msgspec.convert(answer, PricedBy)
    in_force = priced_by.catalog
    facts(
        f"Catalog, version {priced_by.version}",
        [("default plan", in_force.default_plan), ("decimals", str(in_force.decimals))],
    )
    click.echo()
    table(
        ("feature", "credits", "title"),
        [(name, str(entry.credits), entry.title) for name, entry in in_force.features.items()],
    )
    click.echo()
    table(
        ("plan", "rank", "signup credits", "unlimited", "title"),
        [
            (name, str(plan.rank), str(plan.signup_credits), "yes" if plan.unlimited else "no", plan.title)
            for name, plan in in_force.plans.items()
        ],
    )


@catalog.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("sixpence.toml"))
@database_option
def apply(file: Path, database: str | None) -> None:
    """Put the catalog in FILE (sixpence.toml by default) in force, for every server on the database, at once.

    \b
    Example:
      sixpence catalog apply sixpence.toml

    The file is checked whole and every problem in it is named; then nothing is changed.
    """
    from sixpence.cli.administration import local_operator

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CommandRefusedError(f"file: {file} cannot be read ({reason}). Name a sixpence.toml.") from error
    with local_operator(settings_of(database=database)) as operator:
        applied = operator.ask("POST", "/api/admin/catalog", {"toml": text})
    if applied["version"] == applied["version_before"]:
        click.echo(f"{file} is in force already, as version {applied['version']}.")
    else:
        click.echo(f"{file} is in force as version {applied['version']}; before it was {applied['version_before']}.")
