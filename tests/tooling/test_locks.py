"""The lock files: complete, hashed, without a registry's address, and one a subset of the other.

Not here: installing from them, which every `make` does.
"""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ]+)(?P<marker> ; .+)? \\$")
both_locks = pytest.mark.parametrize("lock", ["demo", "dev"])


@both_locks
def test_lock_pins_and_hashes_every_package(lock: str) -> None:
    """A lock holds nothing but pinned packages, each followed by its hashes."""
    lines = [line for line in read(lock).splitlines() if not line.startswith("#")]

    pins = [number for number, line in enumerate(lines) if PIN.match(line)]
    hashes = [number for number, line in enumerate(lines) if line.startswith("    --hash=sha256:")]
    unhashed = [lines[number] for number in pins if number + 1 not in hashes]

    assert len(pins) > 20
    assert sorted(pins + hashes) == list(range(len(lines)))
    assert unhashed == []


@both_locks
def test_lock_has_no_registry_address(lock: str) -> None:
    """A lock file names packages, not where they come from."""
    addresses = re.findall(r"\S*https?://\S*", read(lock))

    assert addresses == []


def test_the_lock_for_tests_holds_the_lock_for_the_demo() -> None:
    """The demo's packages have the versions of the tests' packages, so one environment serves both."""
    demo, dev = pins_of("demo"), pins_of("dev")

    assert demo <= dev


def test_every_dependency_is_locked() -> None:
    """Every dependency that the project names is locked, at a version that it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    named = {
        "demo": [*project["project"]["dependencies"], *extras["server"], *extras["demo"], *groups["build"]],
        "dev": [*project["project"]["dependencies"], *chain(*extras.values(), *groups.values())],
    }

    unlocked = [
        (lock, requirement)
        for lock, requirements in named.items()
        for requirement in requirements
        if not requirement.startswith("sixpence") and not is_locked(Requirement(requirement), lock)
    ]

    assert unlocked == []


def test_the_library_needs_two_packages() -> None:
    """An app that uses Sixpence on SQLite installs msgspec and SQLAlchemy, and nothing else of our choosing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    names = {Requirement(dependency).name for dependency in project["project"]["dependencies"]}

    assert names == {"msgspec", "sqlalchemy"}


def read(lock: str) -> str:
    """Gives the text of a lock."""
    return (ROOT / "requirements" / f"{lock}.txt").read_text()


def pins_of(lock: str) -> set[tuple[str, str, str]]:
    """Gives each pin of a lock: name, version, and where it holds."""
    found = [PIN.match(line) for line in read(lock).splitlines()]
    return {(pin["name"], pin["version"], pin["marker"] or "") for pin in found if pin}


def is_locked(requirement: Requirement, lock: str) -> bool:
    """Says whether a lock holds a version that the requirement allows."""
    return any(
        name == requirement.name and requirement.specifier.contains(version) for name, version, _ in pins_of(lock)
    )
