"""The simulation's README: its commands run and do what they say."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def shown() -> list[list[str]]:
    """The arguments of each line that runs a seed."""
    line = r"^    python (-m tests\.simulation .+?)(?: {2,}.*)?$"
    found = re.findall(line, (HERE / "README.md").read_text(), re.MULTILINE)
    return [shlex.split(arguments) for arguments in found]


def run(arguments: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run such a line in the project's folder."""
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_readme_commands_run() -> None:
    """A run prints its commands, rows and digest; with a planted bug it fails and prints the events before."""
    failed = r"seed 'seven 1': FAILED at command \d+: request \d+ was answered with .+ uncommitted\n  "
    sound, planted = (run(arguments) for arguments in shown())

    assert (sound.returncode, sound.stderr, planted.returncode, planted.stderr) == (0, "", 1, "")
    assert re.fullmatch(r"seed 'seven 1': 500 commands, \d+ rows, digest [0-9a-f]{32}\n", sound.stdout)
    assert re.match(failed, planted.stdout)


def test_every_file_is_listed() -> None:
    """The README's table names each module of the folder."""
    table = "\n".join(line for line in (HERE / "README.md").read_text().splitlines() if line.startswith("| `"))
    modules = {file.stem for file in HERE.glob("[a-z]*.py") if not file.stem.startswith("test_")}

    assert set(re.findall(r"`(\w+)`", table)) == modules
