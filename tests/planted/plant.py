"""A planted bug: a patch with a head that says what is wrong with it, and which tests are to find it first."""

import re
import subprocess
from pathlib import Path

import msgspec

BUGS = Path(__file__).parent / "bugs"
_HEAD = re.compile(r"What: (?P<what>[^\n]+)\nTests: (?P<tests>[^\n]+)\n---\n(?P<diff>diff --git .*)", re.DOTALL)


class Plant(msgspec.Struct, frozen=True):
    """One bug; `tests` are what pytest is given first, files or single tests."""

    name: str
    what: str
    tests: tuple[str, ...]
    diff: str


class UnusablePatchError(Exception):
    """A patch that cannot be read, or no longer fits the code."""


def read_plants(folder: Path = BUGS) -> list[Plant]:
    """All of them, in the order of their names; raises `UnusablePatchError` for one without its head."""
    return [_read(path) for path in sorted(folder.glob("*.patch"))]


def apply(plant: Plant, tree: Path) -> None:
    """Plant the bug in a copy of the project; raises `UnusablePatchError` where the code is no longer as it was."""
    _git_apply(plant, tree)


def remove(plant: Plant, tree: Path) -> None:
    """Take the bug out again."""
    _git_apply(plant, tree, "--reverse")


def _read(path: Path) -> Plant:
    match = _HEAD.fullmatch(path.read_text())
    if match is None:
        raise UnusablePatchError(f"{path.name}: write two lines, 'What: ' and 'Tests: ', then '---' and the diff")
    return Plant(path.stem, match["what"], tuple(match["tests"].split()), match["diff"])


def _git_apply(plant: Plant, tree: Path, *options: str) -> None:
    done = subprocess.run(
        ["git", "apply", *options, "-"], cwd=tree, input=plant.diff, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UnusablePatchError(f"{plant.name} does not fit the code: {done.stderr.strip()}")
