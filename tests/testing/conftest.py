"""The fixtures of this folder: databases of each kind, in memory too, and the wheel's kit for other programs."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.ledger.databases import database, migrated_once, migrated_postgres_url, sqlite_url

__all__ = ["database", "migrated_once", "migrated_postgres_url", "sqlite_url"]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def installed_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of the wheel, entry points included, for the start of a program's path."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = folder.glob("*.whl")
    installed = folder / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    return installed
