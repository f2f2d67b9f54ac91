"""Reading one table of a TOML file: each setting by its name and type, with all problems collected.

Not here: what the settings mean, and which of them exclude each other (`validation`).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sixpence.core.values.bounds import shown

T = TypeVar("T", bound=str)
TEXT_LENGTH_MAX = 200

_BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
# Half of a character, which Python can hold and UTF-8 cannot.
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class Section:
    """A table at a path; each problem is added to `problems`, and reading continues with the default."""

    def __init__(self, path: str, table: dict[str, Any], problems: list[str], *, known: Sequence[str]) -> None:
        self._path = path
        self._table = table
        self._problems = problems
        for name in table:
            if name not in known:
                self.add_problem(name, f"is not a setting of a catalog. Known here: {', '.join(known)}.")

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def add_problem(self, name: str, problem: str) -> None:
        """Add a problem with a setting: what is wrong, with which value, and what to do."""
        self._problems.append(f"{self._at(name)}: {problem}")

    def integer(self, name: str, default: int | None, *, least: int = 0, most: int) -> int:
        """Read a whole number; it is required unless it has a default."""
        value = self._table.get(name, default)
        if type(value) is int and value == default:
            return default  # the same object: msgspec leaves out defaults by identity
        if type(value) is int and least <= value <= most:
            return value
        wanted = f"a whole number from {least} to {most}"
        self.add_problem(name, f"is missing. Give {wanted}." if value is None else f"{shown(value)} is not {wanted}.")
        return least

    def text(self, name: str, default: str = "") -> str:
        """Read a text of at most 200 characters."""
        value = self._table.get(name, default)
        if isinstance(value, str) and len(value) <= TEXT_LENGTH_MAX and not _SURROGATE.search(value):
            return value
        self.add_problem(name, f"{shown(value)} is not text of at most {TEXT_LENGTH_MAX} characters.")
        return ""

    def boolean(self, name: str) -> bool:
        """Read true or false; false where it is missing."""
        value = self._table.get(name, False)
        if not isinstance(value, bool):
            self.add_problem(name, f"{shown(value)} is not true or false.")
        return value is True

    def choice(self, name: str, choices: Sequence[T]) -> T | None:
        """Read one of the choices; None where it is missing or another value."""
        value = self._table.get(name)
        for word in choices:
            if value == word:
                return word
        if name in self:
            self.add_problem(name, f"{shown(value)} is not one of: {', '.join(choices)}.")
        return None

    def table(self, name: str, known: Sequence[str], *, example: str) -> "Section | None":
        """Read the table in this setting; None where it is missing or not a table. `example` goes into the problem."""
        if name not in self:
            return None
        value = self._table[name]
        if not isinstance(value, dict):
            self.add_problem(name, f"{shown(value)} is not a table. Write {name} = {example}.")
            return None
        return Section(self._at(name), value, self._problems, known=known)

    def tables(self, name: str, known: Sequence[str], *, example: str) -> "list[Section]":
        """Read the tables in this array, in order; an empty array is a problem, a missing one is not."""
        if name not in self:
            return []
        value = self._table[name]
        if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
            self.add_problem(name, f"{shown(value)} is not one table or more. Write {name} = {example}.")
            return []
        return [
            Section(f"{self._at(name)}[{place}]", entry, self._problems, known=known)
            for place, entry in enumerate(value, 1)
        ]

    def named_tables(
        self, name: str, known: Sequence[str], *, rule: re.Pattern[str], problem: str
    ) -> "Iterator[tuple[str, Section]]":
        """Read the tables under this setting by their names, at least one; `problem` says which names are valid."""
        entries = self._table.get(name)
        if not isinstance(entries, dict) or not entries:
            self.add_problem(name, f"at least one table [{self._at(name)}.NAME] is needed.")
            return
        below = Section(self._at(name), entries, self._problems, known=tuple(entries))
        for key, entry in entries.items():
            if not rule.match(key):
                below.add_problem(key, problem)
            if not isinstance(entry, dict):
                below.add_problem(key, f"{shown(entry)} is not a table. Write [{below._at(key)}].")
                continue
            yield key, Section(below._at(key), entry, self._problems, known=known)

    def _at(self, name: str) -> str:
        return join_path(self._path, name)


def join_path(path: str, name: str) -> str:
    """Return the path of a setting in the table at `path`; a name that TOML would quote is quoted."""
    key = name if _BARE.match(name) else shown(name)
    return f"{path}.{key}" if path else key
