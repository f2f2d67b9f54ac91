"""What the commands say of themselves, and of what they do not understand."""

import json
from collections.abc import Iterator

import click
import pytest

from sixpence import __version__
from sixpence.cli.commands import sixpence
from tests.support.server import ServerProcess


def every_command(command: click.Command, *names: str) -> Iterator[tuple[str, click.Command]]:
    """The command and all below it, by what one types."""
    yield " ".join(names), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from every_command(below, *names, name)


EVERY_COMMAND = dict(every_command(sixpence, "sixpence"))


@pytest.mark.parametrize("typed", EVERY_COMMAND)
def test_help_shows_an_example(typed: str) -> None:
    """The help of every command and group shows how it is typed."""
    command = EVERY_COMMAND[typed]

    shown = command.get_help(click.Context(command, info_name=typed))

    example = shown[shown.index("Example") :]
    assert typed in example


@pytest.mark.parametrize("typed", EVERY_COMMAND)
def test_help_describes_every_option(typed: str) -> None:
    """No option is listed without words."""
    options = [each for each in EVERY_COMMAND[typed].params if isinstance(each, click.Option)]

    silent = [option.name for option in options if not option.help]

    assert silent == []


def test_the_commands(idle: ServerProcess) -> None:
    """Without a command, the commands are listed."""
    done = idle.run()

    assert (done.returncode, done.stderr) == (0, "")
    assert all(name in done.stdout for name in ("serve", "demo", "key", "user", "account", "catalog", "verify", "db"))


def test_a_group_without_a_command_shows_its_help(idle: ServerProcess) -> None:
    """`sixpence key` lists what one can do with keys."""
    done = idle.run("key")

    assert "create" in done.stdout
    assert done.stderr == ""


def test_the_version(idle: ServerProcess) -> None:
    """`--version` is one line."""
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
            "Invalid value for 'AMOUNT': 'ten' is not a valid integer. See: sixpence account grant --help",
        ),
    ],
)
def test_what_is_not_understood_ends_with_2(idle: ServerProcess, arguments: list[str], sentence: str) -> None:
    """A mistyped command is answered in one sentence on stderr that says where to read on."""
    done = idle.run(*arguments)

    assert (done.returncode, done.stdout) == (2, "")
    assert "".join(done.stderr.split("\n")).startswith(sentence[:20])
    assert done.stderr.count("\n") == 1
    assert done.stderr.strip().endswith(sentence.rpartition("See: ")[2])


@pytest.mark.parametrize(
    ("variable", "value"), [("SIXPENCE_PORT", "eighty"), ("SIXPENCE_DATABASE_URL", "mysql://db.example.com/credits")]
)
def test_a_wrong_setting_is_named(idle: ServerProcess, variable: str, value: str) -> None:
    """An environment variable that cannot be read is named with its value, and nothing is started."""
    idle.environment[variable] = value

    done = idle.run("serve")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(variable)
    assert done.stderr.count("\n") == 1


def test_output_that_nobody_reads_is_no_error_of_ours(idle: ServerProcess) -> None:
    """Output for a program is plain: no colour, no drawn lines."""
    idle.run("key", "create")

    shown = idle.run("account", "show", "nobody").stderr + idle.run("key", "list").stdout

    assert shown.isascii()
    assert json.dumps(shown).count("\\u001b") == 0
