"""A check for plain English: it refuses words that readers have to read twice, and names the plainer word.

Lives here: the list of words, the list of obscure file names, and the check that runs over the files of the project.
Not here: the style of the code, which ruff and tests/tooling/test_tidy.py check.

`python -m tools.plain_words` checks every file that git does not ignore; with paths, only those files and folders.
It reads prose, comments, messages and identifiers alike, and splits identifiers at underscores and capitals.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

# Each word or phrase with the plainer one. Any case matches, except that `none` is not Python's `None`.
# `...` matches up to three words.
PLAINER = {
    "whoever": "anyone, or the subject's name",
    "whom": "a sentence of its own, with the subject first",
    "whomever": "anyone, or the subject's name",
    "told": "reported, shown, given or known",
    "stand": "is, exists, is stored, stays valid or represents",
    "stands": "is, exists, is stored, stays valid or represents",
    "stood": "was, existed or was stored",
    "of then": "at that time, previous or former",
    "of now": "current",
    "bear ... out": "confirm, prove or sign",
    "bears ... out": "confirms, proves or signs",
    "bore ... out": "confirmed, proved or signed",
    "borne ... out": "confirmed, proved or signed",
    "is none": "is missing, is absent, is invalid or no",
    "are none": "are missing, are absent, are invalid or no",
    "go on": "continue or resume",
    "goes on": "continues or resumes",
    "gone on": "continued or resumed",
    "went on": "continued or resumed",
    "anew": "again",
    "that there is": "a, or is there",
    "that there are": "the, or are there",
    "for ever": "permanently or for good",
    "for who": "for the one that, or name the subject",
    "as it was of": "at or as of",
    "thereof": "of it",
    "whereof": "of which",
    "wherein": "in which or where",
    "hereby": "drop it",
    "nought": "zero or nothing",
    "naught": "zero or nothing",
    "ere": "before",
    "lest": "so that ... not",
    "of old": "old or former",
    "to be had": "available",
    "becomes of": "happens to",
    "became of": "happened to",
    "as such": "drop it, or say what",
}

# Phrases in which a word above is the plain one, each with the reason.
ALLOWED = {
    "stand-in": "the usual noun for a substitute",
    "stand-ins": "the usual noun for a substitute",
    "stand in for": "the usual verb for to substitute",
    "stands in for": "the usual verb for to substitute",
}

# Names of modules, tests (without `test_`) and folders that say too little, each with a clearer one.
CLEARER_NAMES = {
    "again": "replay",
    "ahead": "forecast",
    "alone": "exclusive, or what it runs by itself",
    "asking": "requests",
    "bites": "batch_size",
    "crude": "what is wrong with it: misbehaving_apps",
    "ground": "setup, or what it sets up",
    "inside": "transaction_guard",
    "life": "what happens: random_commands, closing",
    "needed": "prefetch",
    "notary": "checkpoints",
    "pace": "throughput",
    "passed": "resume",
    "rules/scene": "context",
    "spans": "ranges",
    "standing": "lifecycle",
    "strays": "orphans",
    "tale": "made_history",
    "till": "the interface that it drives: lane",
    "turns": "what waits its turn: sqlite_turn",
    "weather": "fault_schedule",
}

SUFFIXES = {".py", ".md", ".js", ".html", ".css", ".toml", ".yml"}
# These two files hold the words in order to find them.
EXEMPT = {"tools/plain_words.py", "tests/tooling/test_plain_words.py"}


class Fault(NamedTuple):
    """A word or a name to replace, where it was found, and the plainer one."""

    path: str
    line: int
    found: str
    plainer: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found!r}: write {self.plainer}"


def main(arguments: list[str]) -> int:
    """Checks the given files and folders, or all, prints every fault, and returns the exit code."""
    faults = [fault for path in checked_paths(arguments) for fault in faults_in_file(path)]
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} to replace by plain words. The lists are in tools/plain_words.py.", file=sys.stderr)
    return 1 if faults else 0


def checked_paths(arguments: list[str]) -> list[str]:
    """Returns the paths below the current folder that are checked, untracked files included and ignored ones not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *arguments]
    listed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    paths = sorted({path for path in listed.split("\0") if path and _is_checked(path)} - EXEMPT)
    # A removed file stays in git's list until the removal is committed.
    return [path for path in paths if Path(path).is_file()]


def faults_in_file(path: str) -> Iterator[Fault]:
    """Finds the faults in a file's name and then in its text."""
    yield from faults_in_name(path)
    text = Path(path).read_text(encoding="utf-8")
    yield from faults_in_text(path, _head(text) if path.endswith(".patch") else text)


def faults_in_name(path: str) -> Iterator[Fault]:
    """Finds obscure names and refused words in a path."""
    bare = "/" + "/".join(part.removeprefix("test_") for part in Path(path).with_suffix("").parts) + "/"
    for name, clearer in CLEARER_NAMES.items():
        if f"/{name}/" in bare:
            yield Fault(path, 1, name, f"{clearer} (file name)")
    for fault in faults_in_text(path, bare.replace("-", " ")):
        yield fault._replace(plainer=f"{fault.plainer} (file name)")


def faults_in_text(path: str, text: str) -> Iterator[Fault]:
    """Finds the refused words in a text, whole words only, in the order of their lines."""
    words = set(_WORD.findall(text))
    words |= {word.lower() for word in words if word != "None"}
    # Most files hold none of them: comparing sets of words is much faster than searching.
    phrases = [phrase for phrase in PLAINER if _WORDS[phrase] <= words]
    spared = [found.span() for found in _ALLOWED_PATTERN.finditer(text)] if phrases else []
    faults = [
        Fault(path, text.count("\n", 0, found.start()) + 1, phrase, PLAINER[phrase])
        for phrase in phrases
        for found in _PATTERNS[phrase].finditer(text)
        if not any(start <= found.start() < end for start, end in spared)
    ]
    yield from sorted(faults, key=lambda fault: fault.line)


def _is_checked(path: str) -> bool:
    file = Path(path)
    is_planted = file.suffix == ".patch" and file.is_relative_to("tests/planted")
    return file.suffix in SUFFIXES or file.name == "Makefile" or is_planted


def _head(patch: str) -> str:
    return patch.partition("\n---\n")[0]


_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
# Between two letters: a change from small letters to capitals. Between two words: that, white space, the mark of a
# comment's next line, a string that continues on the next line, or an underscore.
_HUMP = r"(?-i:(?<=[a-z])(?=[A-Z]))"
_GAP = rf"""(?:\s+(?:(?:\#|\*|//)\s+)?|\s*["']\s*\n\s*[fr]?["']|_+|{_HUMP})"""


def _pattern(phrases: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the phrases as whole words."""
    either = "|".join(map(_phrase, phrases))
    return re.compile(rf"(?:(?<![a-z])|{_HUMP})(?:{either})(?:(?![a-z])|{_HUMP})", re.IGNORECASE)


def _phrase(phrase: str) -> str:
    words = ["(?-i:none)" if word == "none" else re.escape(word) for word in phrase.replace(" ...", "").split()]
    some = rf"(?:{_GAP}\w+){{0,3}}" if "..." in phrase else ""
    return (some + _GAP).join(words)


_WORDS = {phrase: set(phrase.split()) - {"..."} for phrase in PLAINER}
_PATTERNS = {phrase: _pattern([phrase]) for phrase in PLAINER}
_ALLOWED_PATTERN = _pattern(ALLOWED)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
