"""A planted bug: a patch and its head, which describes the bug and names the tests that must find it.

Not here: running tests (`pytest_run`), and the check of a bug (`bug_check`).
"""

import re
import subprocess
from pathlib import Path

import msgspec

PATCHES = Path(__file__).parent / "bugs"
_PATCH = re.compile(r"What: (?P<what>[^\n]+)\nTests: (?P<tests>[^\n]+)\n---\n(?P<diff>diff --git .*)", re.DOTALL)


class Bug(msgspec.Struct, frozen=True):
    """One bug; `tests` are pytest's arguments: files or single tests."""

    name: str
    what: str
    tests: tuple[str, ...]
    diff: str


class UnusablePatchError(Exception):
    """A patch has no valid head, or does not apply to the code."""


def read_bugs(folder: Path = PATCHES) -> list[Bug]:
    """Read all bugs, sorted by name; raises `UnusablePatchError` for a patch without a valid head."""
    return [_read(path) for path in sorted(folder.glob("*.patch"))]


def plant(bug: Bug, project: Path) -> None:
    """Plant the bug in a copy of the project; raises `UnusablePatchError` if the patch does not apply."""
    _git_apply(bug, project)


def remove(bug: Bug, project: Path) -> None:
    """Remove the planted bug."""
    _git_apply(bug, project, "--reverse")


def _read(path: Path) -> Bug:
    match = _PATCH.fullmatch(path.read_text())
    if match is None:
        raise UnusablePatchError(f"{path.name}: write two lines, 'What: ' and 'Tests: ', then '---' and the diff")
    return Bug(path.stem, match["what"], tuple(match["tests"].split()), match["diff"])


def _git_apply(bug: Bug, project: Path, *options: str) -> None:
    done = subprocess.run(
        ["git", "apply", *options, "-"], cwd=project, input=bug.diff, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UnusablePatchError(f"{bug.name} does not apply to the code: {done.stderr.strip()}")
