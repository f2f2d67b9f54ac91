"""The help of every command, and the messages for commands that are not understood."""

import json
from collections.abc import Iterator

import click
import pytest

from sixpence import __version__
from sixpence.cli.commands import sixpence
from tests.support.server import ServerProcess


def walk_commands(command: click.Command, *names: str) -> Iterator[tuple[str, click.Command]]:
    """The command and all its subcommands, by the words that one types."""
    yield " ".join(names), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            subcommand = command.get_command(context, name)
            assert subcommand is not None
            yield from walk_commands(subcommand, *names, name)


EVERY_COMMAND = dict(walk_commands(sixpence, "sixpence"))


@pytest.mark.parametrize("typed", EVERY_COMMAND)
def test_help_shows_an_example(typed: str) -> None:
    """The help of every command and group shows how to type it."""
    command = EVERY_COMMAND[typed]

    shown = command.get_help(click.Context(command, info_name=typed))

    example = shown[shown.index("Example") :]
    assert typed in example


@pytest.mark.parametrize("typed", EVERY_COMMAND)
def test_help_describes_every_option(typed: str) -> None:
    """No option lacks a description."""
    options = [each for each in EVERY_COMMAND[typed].params if isinstance(each, click.Option)]

    undescribed = [option.name for option in options if not option.help]

    assert undescribed == []


def test_sixpence_lists_commands(idle: ServerProcess) -> None:
    """Without a command, the commands are listed."""
    done = idle.run()

    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in ("serve", "demo", "key", "user", "account", "catalog", "verify", "db"))


def test_group_without_command_shows_help(idle: ServerProcess) -> None:
    """`sixpence key` lists the commands for keys."""
    done = idle.run("key")

    assert "create" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["serve", "--port", "abc"], "'--port': must be a number from 0 to 65535, not 'abc'."),
        (["serve", "--port", "65536"], "'--port': must be a number from 0 to 65535, not '65536'."),
        (["serve", "--workers", "0"], "'--workers': must be a number from 1 to 64, not '0'."),
        (["demo", "--port", "1.5"], "'--port': must be a number from 0 to 65535, not '1.5'."),
        (["checkpoint", "show", "0"], "'[NUMBER]': must be a number from 1 on, not '0'."),
        (["account", "grant", "user_1", "ten", "--reason", "x"], "'AMOUNT': must be a whole number, not 'ten'."),
        (["account", "adjust", "user_1", "ten", "--reason", "x"], "'AMOUNT': must be a whole number, not 'ten'."),
        (["account", "refund", "user_1", "t", "--amount", "1e3"], "'--amount': must be a whole number, not '1e3'."),
    ],
)
def test_invalid_number_names_bounds_and_value(idle: ServerProcess, arguments: list[str], sentence: str) -> None:
    """Every number of the command line is refused in the same words."""
    done = idle.run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Invalid value for {sentence} See: sixpence {arguments[0]}")


def test_version_is_one_line(idle: ServerProcess) -> None:
    """`--version` prints one line."""
    done = idle.run("--version")

    assert (done.returncode, done.stdout) == (0, f"sixpence {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["srve"], "No such command 'srve'. See: sixpence --help"),
        (["account", "show"], "Missing argument 'ID'. See: sixpence account show --help"),
        (["user", "create"], "Missing option '--email'. See: sixpence user create --help"),
        (
            ["account", "grant", "user_1", "ten", "--reason", "x"],
            "Invalid value for 'AMOUNT': must be a whole number, not 'ten'. See: sixpence account grant --help",
        ),
    ],
)
def test_usage_error_ends_with_2(idle: ServerProcess, arguments: list[str], sentence: str) -> None:
    """A mistyped command gets one sentence on stderr that names the help to read."""
    done = idle.run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "".join(done.stderr.split("\n")).startswith(sentence[:20])
    assert done.stderr.count("\n") == 1
    assert done.stderr.strip().endswith(sentence.rpartition("See: ")[2])


@pytest.mark.parametrize(
    ("variable", "value"), [("SIXPENCE_PORT", "eighty"), ("SIXPENCE_DATABASE_URL", "mysql://db.example.com/credits")]
)
def test_invalid_setting_is_reported(idle: ServerProcess, variable: str, value: str) -> None:
    """An invalid environment variable is named with its value, and nothing is started."""
    idle.environment[variable] = value

    done = idle.run("serve")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(variable)
    assert done.stderr.count("\n") == 1


def test_output_without_terminal_is_plain_text(idle: ServerProcess) -> None:
    """Output for a program has no colour and no drawn lines."""
    idle.run("key", "create")

    shown = idle.run("account", "show", "nobody").stderr + idle.run("key", "list").stdout

    assert shown.isascii()
    assert json.dumps(shown).count("\\u001b") == 0
