"""A copy of the project in which bugs are planted: the tracked and new files, and a link to the environment."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copy_project(to: Path) -> Path:
    """Copy the working tree without ignored files, as a git repository to which patches apply; returns `to`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = ROOT / name
        if source.is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, to / name)
    subprocess.run(["git", "init", "--quiet", to], check=True)
    (to / ".venv").symlink_to(ROOT / ".venv")
    return to
