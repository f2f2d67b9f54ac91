"""`sixpence key`: the API keys that servers send."""

import click

from sixpence.cli.terminal.options import database_option, settings_of
from sixpence.cli.terminal.tables import table


@click.group()
def key() -> None:
    """Make, list and revoke the API keys that servers send as `Authorization: Bearer KEY`.

    \b
    Example:
      K=$(sixpence key create --name web)
    """


@key.command()
@click.option("--name", default="default", show_default=True, help="What the key is for, so that it can be told apart.")
@database_option
def create(name: str, database: str | None) -> None:
    """Make a key and print it, this once: only its digest is kept.

    \b
    Example:
      K=$(sixpence key create --name web)
      curl -s http://127.0.0.1:8000/v1/accounts/user_1 -H "Authorization: Bearer $K"

    The key stands alone on stdout; what is said about it goes to stderr.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        made = operator.ask("POST", "/api/admin/keys", {"name": name})
    click.echo(made["key"])
    click.echo(
        f"Key '{made['name']}' ({made['id']}). It is shown this once. End it: sixpence key revoke {made['id']}",
        err=True,
    )


@key.command("list")
@database_option
def list_(database: str | None) -> None:
    """List the keys, newest first, by how they begin.

    \b
    Example:
      sixpence key list
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        keys = operator.ask("GET", "/api/admin/keys")["keys"]
    if not keys:
        click.echo("There are no keys. Make one: sixpence key create.")
        return
    table(
        ("id", "name", "begins", "made", "by", "revoked"),
        [
            (each["id"], each["name"], each["hint"], each["created_at"], each["created_by"], each["revoked_at"] or "")
            for each in keys
        ],
    )


@key.command()
@click.argument("key_id", metavar="ID")
@database_option
def revoke(key_id: str, database: str | None) -> None:
    """End a key: from now on it is refused. ID is the one that `sixpence key list` shows.

    \b
    Example:
      sixpence key revoke 7mVQ3nDq0cYwTzKfXhB2sLrJp9GaEuNk
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings_of(database=database)) as operator:
        revoked = operator.ask("POST", "/api/admin/keys/revoke", {"id": key_id})
    click.echo(f"Key '{revoked['name']}' ({revoked['id']}) is refused since {revoked['revoked_at']}.")
