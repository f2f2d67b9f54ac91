"""`sixpence user`: create users who sign in with an e-mail and a password."""

import sys

import click

from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.cli.terminal.options import database_option, read_settings


@click.group()
def user() -> None:
    """Create users who sign in with an e-mail and a password.

    \b
    Example:
      sixpence user create --email grace@example.com --operator
    """


@user.command()
@click.option("--email", required=True, help="The e-mail to sign in with.")
@click.option("--name", help="The user's name. Default: the part of the e-mail before the @.")
@click.option("--operator", "is_operator", is_flag=True, help="Allow the user to grant credits and create keys.")
@click.option("--password", envvar="SIXPENCE_PASSWORD", help="8 to 128 characters. Default: ask for it.")
@database_option
def create(email: str, name: str | None, is_operator: bool, password: str | None, database: str | None) -> None:
    """Create a user, with an account that has the credits of a sign-up.

    \b
    Examples:
      sixpence user create --email ada@example.com --name Ada
      sixpence user create --email grace@example.com --operator < password.txt

    The command asks for the password twice on a terminal, and otherwise reads one line from stdin. --password and
    SIXPENCE_PASSWORD go before that; other users of this machine may see --password.
    """
    settings = read_settings(database=database)
    body = {
        "email": email,
        "name": name or email.partition("@")[0],
        "password": password or _read_password(),
        "role": "admin" if is_operator else "user",
    }
    from sixpence.cli.operator.operator import local_operator

    with local_operator(settings) as operator:
        created = operator.request("POST", "/api/admin/users", body)
    kind = "operator" if created["role"] == "admin" else "user"
    click.echo(f"Created the {kind} {created['email']}, with the account {created['id']}.")


def _read_password() -> str:
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt="Repeat the password", err=True)
        return password
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise CommandRefusedError("password: missing. Use --password, SIXPENCE_PASSWORD, or send a line to stdin.")
    return line
