"""Style rules without a linter: size, names, docstrings, package READMEs, and forbidden text.

Not here: the locks (test_locks.py), plain words (tools/plain_words.py), and what ruff and import-linter check.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES_MAX = 350
README_LINES_MAX = 60
# Modules and folders beside each other in a package.
ENTRIES_MAX = 14
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "misc", "types", "models"}
# Split, so that this file does not find itself.
MACHINE_PATHS = ["/" + "root/", "/" + "home/", "/" + "Users/", "/" + "work/main"]
EXCUSES = ["pytest." + "skip", "mark." + "skip", "import" + "orskip", "mark." + "xfail", "monkey" + "patch"]
NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", "build", "dist"}


def test_no_file_is_over_350_lines() -> None:
    """No source file is longer than 350 lines."""
    sources = [file for suffix in ("py", "js", "ts") for file in our_files(f"*.{suffix}") if not is_built(file)]

    lengths = {name(file): len(file.read_text().splitlines()) for file in sources}

    assert {file: length for file, length in lengths.items() if length > LINES_MAX} == {}


def test_no_package_has_over_fourteen_entries() -> None:
    """Every package of Sixpence and of the studio shows at most 14 modules and folders."""
    packages = [file.parent for file in our_files("__init__.py") if file.is_relative_to(ROOT / "src")]

    sizes = {name(package): len(entries_of(package)) for package in packages}

    assert {package: size for package, size in sizes.items() if size > ENTRIES_MAX} == {}


def test_no_module_has_a_generic_name() -> None:
    """Nothing is called utils, helpers, common, manager, handler, misc, types or models."""
    sources = list(our_files("*.py"))

    nameless = [name(file) for file in sources if NAMELESS & set(words_of(file.relative_to(ROOT)))]

    assert nameless == []


def test_every_module_has_a_docstring() -> None:
    """Each Python module and package begins with a docstring."""
    sources = list(our_files("*.py"))

    without = [name(file) for file in sources if not ast.get_docstring(ast.parse(file.read_text()))]

    assert without == []


def test_every_package_has_a_readme_of_a_page() -> None:
    """Each package of Sixpence has a README.md: what it means, what always holds, what it does not do."""
    packages = [file.parent for file in (ROOT / "src" / "sixpence").glob("*/__init__.py")]

    without = [name(package) for package in packages if not (package / "README.md").is_file()]
    too_long = [
        name(readme)
        for package in packages
        if (readme := package / "README.md").is_file() and len(readme.read_text().splitlines()) > README_LINES_MAX
    ]

    assert (without, too_long) == ([], [])


def test_no_file_has_a_path_of_a_machine() -> None:
    """No file has a path of the machine that it was written on."""
    texts = [file for file in our_files("*") if is_text(file)]

    found = [(name(file), path) for file in texts for path in MACHINE_PATHS if path in file.read_text()]

    assert found == []


def test_no_test_is_skipped_or_patched() -> None:
    """No test is skipped, expected to fail, or patched."""
    tests = [file for file in our_files("*.py") if file.is_relative_to(ROOT / "tests")]

    found = [(name(file), excuse) for file in tests for excuse in EXCUSES if excuse in file.read_text()]

    assert found == []


def our_files(pattern: str) -> Iterator[Path]:
    """Yield the files that people write, not those that tools generate."""
    for file in sorted(ROOT.rglob(pattern)):
        parts = file.relative_to(ROOT).parts
        hidden = any(part.startswith(".") for part in parts if part not in (".ci", ".gitignore"))
        if file.is_file() and not hidden and not NOT_OURS & set(parts):
            yield file


def entries_of(package: Path) -> list[Path]:
    """The modules and folders of a package."""
    hidden = {"__init__", "__pycache__"}
    return [each for each in package.iterdir() if (each.is_dir() or each.suffix == ".py") and each.stem not in hidden]


def is_built(file: Path) -> bool:
    """Whether a tool generated the file from sources elsewhere in the project."""
    return file.is_relative_to(ROOT / "src" / "sixpence" / "widgets")


def is_text(file: Path) -> bool:
    """Whether a file is text for people to read."""
    known = {".py", ".md", ".toml", ".txt", ".js", ".ts", ".html", ".css", ".json", ".sql", ".ini", ".sh", ".mako"}
    return file.suffix in known or file.name in ("Makefile", "run", ".gitignore", "LICENSE")


def words_of(path: Path) -> list[str]:
    """Return the words in a path's names."""
    return [word for part in path.with_suffix("").parts for word in part.split("_")]


def name(path: Path) -> str:
    """Return a path relative to the project's folder."""
    return str(path.relative_to(ROOT))
