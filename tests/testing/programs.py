"""Running pytest in another process, as an app's developer does, with the kit as the wheel installs it."""

import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

# The packages that `pip install sixpence pytest` installs.
BASE_PACKAGES = (
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
    """pytest with the wheel's kit first on its path, then every installed package, or only a base install (`bare`)."""

    def __init__(self, installed: Path, folder: Path, *, bare: Path | None = None) -> None:
        self.folder = folder
        self._options = [] if bare is None else ["-S"]
        # Compiled once for all runs, and away from the test's folder, which must stay clean.
        self._compiled = str(installed.parent / "compiled")
        self._path = os.pathsep.join(str(each) for each in (installed, bare) if each is not None)
        self.output = ""

    def run(self, *arguments: str, **files: str) -> dict[str, int]:
        """Write `files` by name without `.py`, run pytest, and count the tests that passed, failed and so on."""
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
        self.output = done.stdout + done.stderr
        summary = self.output.rstrip().splitlines()[-1]
        return {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors?|warnings?)", summary)}


def link_base_install(folder: Path) -> Path:
    """Fill the folder with links to a base install and pytest, and return it."""
    for name in BASE_PACKAGES:
        installed = distribution(name)
        for top in {file.parts[0] for file in installed.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (folder / top).symlink_to(str(installed.locate_file(top)))
    return folder
