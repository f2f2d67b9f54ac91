"""A forked `sixpence` does what a started one does: its output, status, folder, environment and end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.launcher import ForkedProcess, launch, run
from tests.support.server import SIXPENCE, ServerProcess, environment_for, running_server


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["key", "list"], ["account", "show", "nobody"], ["account", "grant"], ["verify"], ["no-command"]],
    ids=" ".join,
)
def test_a_forked_command_answers_as_a_started_one(tmp_path: Path, arguments: list[str]) -> None:
    """Status, output and errors are the same, in a folder with the same content."""
    environment = environment_for(tmp_path, None)
    run(["key", "list"], cwd=tmp_path, environment=environment)

    forked = run(arguments, cwd=tmp_path, environment=environment)

    command = [*SIXPENCE, *arguments]
    started = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert (forked.returncode, forked.stdout, forked.stderr) == (started.returncode, started.stdout, started.stderr)


def test_a_forked_command_has_its_own_folder_and_environment(tmp_path: Path) -> None:
    """A home relative to the folder, given in the environment, is where the command keeps its file."""
    environment = {**environment_for(tmp_path, None), "SIXPENCE_HOME": "here"}

    run(["key", "list"], cwd=tmp_path, environment=environment)

    assert (tmp_path / "here" / "credits.db").is_file()


def test_a_forked_server_can_be_killed(tmp_path: Path) -> None:
    """Its end is seen, with the signal that ended it."""
    with running_server(None, tmp_path) as server:
        process = server._process
        assert isinstance(process, ForkedProcess)
        assert (process.poll(), process.pid) == (None, server.pid)

        process.send_signal(signal.SIGKILL)

        assert process.wait(10) == -signal.SIGKILL


def test_a_python_that_starts_otherwise_is_started(tmp_path: Path) -> None:
    """Where the environment changes how Python starts, the command is not forked."""
    environment = {**environment_for(tmp_path, None), "PYTHONWARNINGS": "error"}
    with (tmp_path / "said").open("w+b") as said, open("/dev/null", "rb") as nothing:
        files = (nothing.fileno(), said.fileno(), said.fileno())

        process = launch(["--version"], cwd=tmp_path, environment=environment, files=files)

        assert isinstance(process, subprocess.Popen)
        assert process.wait(60) == 0
        assert (tmp_path / "said").read_text().startswith("sixpence ")


def test_workers_and_the_demo_are_started(tmp_path: Path) -> None:
    """Servers that start Python processes of their own are started as from a shell."""
    environment = environment_for(tmp_path, None)

    assert ServerProcess(tmp_path, environment, workers=1)._forks
    assert not ServerProcess(tmp_path, environment, workers=2)._forks
    assert not ServerProcess(tmp_path, environment, workers=1, command="demo")._forks
    assert sys.executable in SIXPENCE
