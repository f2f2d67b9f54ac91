"""Running pytest as an app's developer does, in a process of its own, with the kit as the wheel installs it.

Lives here: where such a process finds what is installed, and what it said.
"""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

# What `pip install sixpence pytest` brings.
NEEDED = (
    "msgspec",
    "sqlalchemy",
    "typing_extensions",
    "greenlet",
    "pytest",
    "pluggy",
    "iniconfig",
    "packaging",
    "pygments",
)


class Pytest:
    """pytest with the wheel's kit first on its path: with everything here beside it, or (`bare`) with pytest alone."""

    def __init__(self, installed: Path, folder: Path, *, bare: Path | None = None) -> None:
        self.folder = folder
        self._options = [] if bare is None else ["-S"]
        # Compiled once for all runs, and not beside the test, where nothing is to be left.
        self._compiled = str(installed.parent / "compiled")
        self._path = os.pathsep.join(str(each) for each in (installed, bare) if each is not None)
        self.said = ""

    def run(self, *arguments: str, **files: str) -> dict[str, int]:
        """How many tests passed, failed and so on; `files` are written first, by their names without `.py`."""
        for name, content in files.items():
            (self.folder / f"{name}.py").write_text(content)
        done = subprocess.run(
            [sys.executable, *self._options, "-m", "pytest", "-p", "no:cacheprovider", "-W", "error", *arguments],
            cwd=self.folder,
            env={"PYTHONPATH": self._path, "PATH": os.environ["PATH"], "PYTHONPYCACHEPREFIX": self._compiled},
            capture_output=True,
            text=True,
            timeout=100,
        )
        self.said = done.stdout + done.stderr
        summary = self.said.rstrip().splitlines()[-1]
        return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?|warnings?)", summary)}


def link_what_is_needed(folder: Path) -> Path:
    """The folder, with links to what a base install and pytest consist of, and nothing else."""
    for name in NEEDED:
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (folder / top).symlink_to(str(installed.locate_file(top)))
    return folder
