"""The project's own kind of import contract, run by the real linter over a small package."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONFIGURATION = """
[tool.importlinter]
root_packages = ["shop"]
include_external_packages = true
contract_types = ["reserved: tools.contracts.ReservedContract"]

[[tool.importlinter.contracts]]
name = "sqlite3 is the stock's"
type = "reserved"
modules = ["sqlite3", "shop.not_built_yet"]
importers = ["shop.stock"]
"""


def test_reserved_module_may_be_imported_by_its_importers(tmp_path: Path) -> None:
    """An import from the named package, or from below it, keeps the contract."""
    build(tmp_path, {"stock/__init__.py": "", "stock/deep.py": "import sqlite3\n", "counter.py": ""})

    done = lint(tmp_path)

    assert done.returncode == 0, done.stdout
    assert "1 kept, 0 broken" in done.stdout


def test_reserved_module_may_not_be_imported_elsewhere(tmp_path: Path) -> None:
    """An import from elsewhere, even from a module whose name begins alike, breaks the contract and is named."""
    build(tmp_path, {"stock/__init__.py": "", "stock_stairs.py": "import sqlite3\n"})

    done = lint(tmp_path)

    assert done.returncode == 1, done.stdout
    assert "shop.stock_stairs may not import sqlite3" in done.stdout


def build(folder: Path, files: dict[str, str]) -> None:
    """Write a package `shop` of these files, and the contract over it."""
    (folder / "pyproject.toml").write_text(CONFIGURATION)
    for name, text in {"__init__.py": "", **files}.items():
        file = folder / "shop" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter in the folder with the project's own contract."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
