"""`sixpence user`: people who sign in with an e-mail and a password."""

import sys

import click

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, settings_of


@click.group()
def user() -> None:
    """Make users who sign in with an e-mail and a password.

    \b
    Example:
      sixpence user create --email grace@example.com --operator
    """


@user.command()
@click.option("--email", required=True, help="What the user signs in with.")
@click.option("--name", help="What the user is called; by default what stands before the @.")
@click.option("--operator", "is_operator", is_flag=True, help="May grant credits and make keys.")
@click.option("--password", envvar="SIXPENCE_PASSWORD", help="8 to 128 characters; asked for when it is not given.")
@database_option
def create(email: str, name: str | None, is_operator: bool, password: str | None, database: str | None) -> None:
    """Make a user, with an account of credits like everybody's who signs up.

    \b
    Examples:
      sixpence user create --email ada@example.com --name Ada
      sixpence user create --email grace@example.com --operator < password.txt

    The password is asked for twice on a terminal, and read as one line from anything else; SIXPENCE_PASSWORD or
    --password (which other users of this machine may see) go first.
    """
    settings = settings_of(database=database)
    body = {
        "email": email,
        "name": name or email.partition("@")[0],
        "password": password or _typed_password(),
        "role": "admin" if is_operator else "user",
    }
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings) as operator:
        made = operator.ask("POST", "/api/admin/users", body)
    kind = "operator" if made["role"] == "admin" else "user"
    click.echo(f"Made the {kind} {made['email']}, whose account is {made['id']}.")


def _typed_password() -> str:
    if sys.stdin.isatty():
        typed: str = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
        return typed
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise CommandRefusedError(
            "password: none was given. Use --password, SIXPENCE_PASSWORD, or send a line to stdin."
        )
    return line
