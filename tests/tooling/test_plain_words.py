"""The check for plain words, run by its own command over a small folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.plain_words import ALLOWED, CLEARER_NAMES, PLAINER

ROOT = Path(__file__).parents[2]


def test_plain_words_finds_each_word_of_the_list(tmp_path: Path) -> None:
    """Every word or phrase of the list is found where it is a word of a sentence, in any case."""
    sentences = [f"It is {phrase.replace('...', 'all of this').capitalize()}, then.\n" for phrase in PLAINER]
    write(tmp_path, {"page.md": "".join(sentences)})

    done = check(tmp_path)

    expected = [
        f"page.md:{line}: {found!r}: write {plainer}" for line, (found, plainer) in enumerate(PLAINER.items(), 1)
    ]
    assert (done.returncode, done.stdout.splitlines()) == (1, expected)


@pytest.mark.parametrize(
    ("file", "text", "line", "phrase"),
    [
        ("a.py", "# First,\n# it is told.\n", 2, "told"),
        ("a.py", "# The work goes\n# on later.\n", 1, "goes on"),
        ("a.py", 'raise ValueError("The work goes "\n    "on later.")\n', 1, "goes on"),
        ("a.py", "def told_by(balance): ...\n", 1, "told"),
        ("a.py", "def test_the_work_goes_on(): ...\n", 1, "goes on"),
        ("a.js", "const isTold = true;\n", 1, "told"),
        ("a.js", "\n// Kept for ever.\n", 2, "for ever"),
        ("a.html", "<p>It stands.</p>\n", 1, "stands"),
        ("a.css", "/* made anew */\n", 1, "anew"),
        ("a.toml", "# whoever\n", 1, "whoever"),
        ("a.yml", "# whoever\n", 1, "whoever"),
        ("Makefile", "run: ## made anew\n", 1, "anew"),
        ("tests/planted/bugs/1.patch", "What: it is told\nTests: a\n---\ndiff\n", 1, "told"),
    ],
)
def test_plain_words_finds_words_in_each_kind_of_file(
    tmp_path: Path, file: str, text: str, line: int, phrase: str
) -> None:
    """Words are found in comments, messages, identifiers and markup, and where a phrase continues on the next line."""
    write(tmp_path, {file: text})

    done = check(tmp_path)

    assert (done.returncode, done.stdout) == (1, f"{file}:{line}: {phrase!r}: write {PLAINER[phrase]}\n")


def test_plain_words_finds_obscure_file_names(tmp_path: Path) -> None:
    """A module, its test, or a folder with a name of the list is found."""
    files: dict[str, tuple[str, str]] = {}
    for name, clearer in CLEARER_NAMES.items():
        folder, slash, last = name.rpartition("/")
        files |= dict.fromkeys((f"{name}.py", f"{name}/b.md", f"{folder}{slash}test_{last}.py"), (name, clearer))
    write(tmp_path, dict.fromkeys(files, ""))

    done = check(tmp_path)

    expected = [f"{path}:1: {name!r}: write {clearer} (file name)" for path, (name, clearer) in sorted(files.items())]
    assert (done.returncode, done.stdout.splitlines()) == (1, expected)


def test_plain_words_finds_words_in_file_names(tmp_path: Path) -> None:
    """A word of the list is found in a file's name, too."""
    write(tmp_path, {"docs/0012-new-facts-stand-last.md": "Plain.\n"})

    done = check(tmp_path)

    assert (done.returncode, done.stdout) == (
        1,
        f"docs/0012-new-facts-stand-last.md:1: 'stand': write {PLAINER['stand']} (file name)\n",
    )


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.md", "Outstanding standards withstand; they are understood from here to there.\n"),
        ("a.md", f"{', '.join(ALLOWED)}.\n"),
        ("a.md", "The stand-in stands in for a model.\n"),
        ("a.py", "if none is None or isNone:\n    standing = forewhom\n"),
        ("a.json", '"told"\n'),
        ("tests/planted/bugs/1.patch", "What: it is late\nTests: a\n---\n-told\n"),
        ("scene/rules.py", ""),
        ("tests/test_replay_again.py", ""),
        ("tools/plain_words.py", "told"),
    ],
)
def test_plain_words_spares_plain_words(tmp_path: Path, file: str, text: str) -> None:
    """Parts of words, allowed phrases, Python's None, other kinds of files and a patch's code are not refused."""
    write(tmp_path, {file: text})

    done = check(tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_plain_words_checks_only_the_given_paths(tmp_path: Path) -> None:
    """With paths as arguments, only those files and folders are checked; ignored files never are."""
    write(tmp_path, {".gitignore": "made/\n", "made/a.py": "# told\n", "core/b.py": "# told\n", "c.py": "# told\n"})

    everything, folder, file = check(tmp_path), check(tmp_path, "core"), check(tmp_path, "c.py")

    assert [found_in(done) for done in (everything, folder, file)] == [["c.py", "core/b.py"], ["core/b.py"], ["c.py"]]


def write(folder: Path, files: dict[str, str]) -> None:
    """Writes these files into a folder, which becomes a git repository."""
    subprocess.run(["git", "init", "--quiet", folder], check=True, timeout=60)
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the check in the folder."""
    return subprocess.run(
        [sys.executable, "-m", "tools.plain_words", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def found_in(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Returns the files in which something was found."""
    return [line.partition(":")[0] for line in done.stdout.splitlines()]
