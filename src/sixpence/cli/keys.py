"""`sixpence key`: create, list and revoke the API keys that servers send."""

import click

from sixpence.cli.terminal.options import database_option, read_settings
from sixpence.cli.terminal.printing import print_table


@click.group()
def key() -> None:
    """Create, list and revoke the API keys that servers send as `Authorization: Bearer KEY`.

    \b
    Example:
      K=$(sixpence key create --name web)
    """


@key.command()
@click.option("--name", default="default", show_default=True, help="The use of the key, shown in the list of keys.")
@database_option
def create(name: str, database: str | None) -> None:
    """Create a key and print it. It cannot be shown again: only its digest is stored.

    \b
    Example:
      K=$(sixpence key create --name web)
      curl -s http://127.0.0.1:8000/v1/accounts/user_1 -H "Authorization: Bearer $K"

    stdout has the key and nothing else; its name and id go to stderr.
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        created = operator.request("POST", "/api/admin/keys", {"name": name})
    click.echo(created["key"])
    click.echo(
        f"Key '{created['name']}' ({created['id']}). It is not shown again. "
        f"To revoke it: sixpence key revoke {created['id']}",
        err=True,
    )


@key.command("list")
@database_option
def list_(database: str | None) -> None:
    """List the keys, newest first. Only the first characters of a key are shown.

    \b
    Example:
      sixpence key list
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        keys = operator.request("GET", "/api/admin/keys")["keys"]
    if not keys:
        click.echo("There are no keys. Create one: sixpence key create.")
        return
    print_table(
        ("id", "name", "begins", "created", "by", "revoked"),
        [
            (each["id"], each["name"], each["hint"], each["created_at"], each["created_by"], each["revoked_at"] or "")
            for each in keys
        ],
    )


@key.command()
@click.argument("key_id", metavar="ID")
@database_option
def revoke(key_id: str, database: str | None) -> None:
    """Revoke a key: from now on it is refused. `sixpence key list` shows its ID.

    \b
    Example:
      sixpence key revoke 7mVQ3nDq0cYwTzKfXhB2sLrJp9GaEuNk
    """
    from sixpence.cli.operator.operator import local_operator

    with local_operator(read_settings(database=database)) as operator:
        revoked = operator.request("POST", "/api/admin/keys/revoke", {"id": key_id})
    click.echo(f"Key '{revoked['name']}' ({revoked['id']}) was revoked at {revoked['revoked_at']}.")
