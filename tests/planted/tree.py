"""Copies of the project to plant bugs in: what is tracked or new here, and the environment by a link."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def copied(to: Path) -> Path:
    """A copy of the working tree as it is, without what git ignores; a repository of its own, for patches to apply."""
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
