"""The commands by name, and the boundary that turns every error into one sentence and an exit status.

A command's module is imported when the command is used. Not here: the work of the commands, each in its own module.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from sixpence import __version__
from sixpence.cli.terminal.errors import CommandRefusedError
from sixpence.core.errors import CreditSystemError

# Name: the command's object, and its line in the list of commands.
_COMMANDS = {
    "serve": ("sixpence.cli.server.serve:serve", "Serve the HTTP API."),
    "demo": ("sixpence.cli.demo:demo", "Serve the studio, an app that runs on credits, with people to try it as."),
    "key": ("sixpence.cli.keys:key", "Create, list and revoke the API keys of servers."),
    "user": ("sixpence.cli.users:user", "Create users who sign in with a password."),
    "account": (
        "sixpence.cli.account.account:account",
        "Show an account; grant, refund, void, adjust; its plan and its holds.",
    ),
    "catalog": ("sixpence.cli.catalogs:catalog", "Show and change the prices and plans."),
    "verify": ("sixpence.cli.proof.verify:verify", "Prove every balance from the ledger."),
    "checkpoint": ("sixpence.cli.proof.checkpoint:checkpoint", "Sign the state of the ledger; show checkpoints."),
    "db": ("sixpence.cli.db:db", "Upgrade a database to this version's schema."),
}


class _Commands(click.Group):
    """Commands that are imported one at a time, so that each starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, in the order in which a new user needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, written without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(cls=_Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="sixpence %(version)s")
@click.pass_context
def sixpence(context: click.Context) -> None:
    """Usage credits for AI products.

    \b
    Example:
      sixpence serve                        in one terminal
      K=$(sixpence key create)              in another
      curl -s http://127.0.0.1:8000/v1/accounts -H "Authorization: Bearer $K" -d '{"account_id": "user_1"}'

    The data is in a SQLite file in the folder .sixpence (SIXPENCE_HOME), or in the database that --database or
    SIXPENCE_DATABASE_URL names. Every other setting is an environment variable, too.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; an error is printed on stderr as one sentence."""
    try:
        status = sixpence.main(list(arguments), prog_name="sixpence", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as help_text:
        click.echo(help_text.format_message())
        return 0
    except click.UsageError as error:
        return _print_error(f"{error.format_message()}{_help_hint(error)}", 2)
    except click.ClickException as error:
        return _print_error(error.format_message(), 1)
    except (click.Abort, KeyboardInterrupt):
        return _print_error("Stopped.", 1)
    except BrokenPipeError:
        # The reader of the output has closed it: nobody reads a message, and nothing more can be flushed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CommandRefusedError, CreditSystemError) as error:
        return _print_error(str(error), 1)
    except Exception as error:  # noqa: BLE001 - the one boundary: a user at a prompt cannot use a traceback
        return _print_error(_defect_message(error), 1)


def _print_error(sentence: str, status: int) -> int:
    click.echo(sentence, err=True)
    return status


def _help_hint(error: click.UsageError) -> str:
    return f" See: {error.ctx.command_path} --help" if error.ctx is not None else ""


def _defect_message(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "an unknown place"
    return f"A defect in Sixpence: {type(error).__name__} in {place}: {error}. Please report it with this line."
