"""The commands by name, and the boundary where whatever goes wrong becomes one sentence and an exit status.

A command's module is imported when it is asked for. What a command does stands in its own module.
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

# Name: where it is, and what the list of commands says of it.
_COMMANDS = {
    "serve": ("sixpence.cli.server.serve:serve", "Serve the HTTP API."),
    "demo": ("sixpence.cli.demo:demo", "Serve the studio, an app that runs on credits, with people to try it as."),
    "key": ("sixpence.cli.keys:key", "Make, list and revoke the API keys of servers."),
    "user": ("sixpence.cli.users:user", "Make users who sign in with a password."),
    "account": (
        "sixpence.cli.account.account:account",
        "Show an account; grant, refund, void, correct; its plan, its holds.",
    ),
    "catalog": ("sixpence.cli.catalogs:catalog", "Show and change what things cost and who gets what."),
    "verify": ("sixpence.cli.verify.verify:verify", "Prove every balance from the ledger."),
    "checkpoint": (
        "sixpence.cli.verify.checkpoint:checkpoint",
        "Sign where every ledger stands; show what was signed.",
    ),
    "db": ("sixpence.cli.db:db", "Bring a database to this version's schema."),
}


class _Commands(click.Group):
    """Commands that are imported one at a time, so that each starts quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names, in the order in which one meets them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, for which none of them is imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in _COMMANDS.items()])


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

    Everything is kept in a SQLite file in the folder .sixpence (SIXPENCE_HOME), or where --database or
    SIXPENCE_DATABASE_URL says. Every other setting is an environment variable, too.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def run(arguments: Sequence[str]) -> int:
    """Run a command and give its exit status; what went wrong is told on stderr in one sentence."""
    try:
        status = sixpence.main(list(arguments), prog_name="sixpence", standalone_mode=False)
        sys.stdout.flush()
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as wanted:
        click.echo(wanted.format_message())
        return 0
    except click.UsageError as error:
        return _tell(f"{error.format_message()}{_where_to_read(error)}", 2)
    except click.ClickException as error:
        return _tell(error.format_message(), 1)
    except (click.Abort, KeyboardInterrupt):
        return _tell("Stopped.", 1)
    except BrokenPipeError:
        # Whoever read the output has gone; there is nobody to tell, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (CommandRefusedError, CreditSystemError) as error:
        return _tell(str(error), 1)
    except Exception as error:  # noqa: BLE001 - the one boundary: nobody at a prompt is served by a traceback
        return _tell(_defect(error), 1)


def _tell(sentence: str, status: int) -> int:
    click.echo(sentence, err=True)
    return status


def _where_to_read(error: click.UsageError) -> str:
    return f" See: {error.ctx.command_path} --help" if error.ctx is not None else ""


def _defect(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "an unknown place"
    return f"A defect in Sixpence: {type(error).__name__} in {where}: {error}. Please report it with this line."
