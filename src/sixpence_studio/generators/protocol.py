"""What a generator is: a feature's name and options, and a way to make a new picture. A real model can be one.

The package itself lists the generators; errors.py has what they raise.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sixpence_studio.generators.errors import OptionError
from sixpence_studio.generators.picture import Picture


@dataclass(frozen=True)
class Choice:
    """An option with a few allowed values, each with its label, and a default."""

    name: str
    label: str
    values: tuple[tuple[str, str], ...]
    default: str
    kind: ClassVar[str] = "choice"


@dataclass(frozen=True)
class Area:
    """An option that marks places of the picture; `how` describes the format of its value. It is required."""

    name: str
    label: str
    how: str
    kind: ClassVar[str] = "area"


Option = Choice | Area


@dataclass(frozen=True)
class Result:
    """A made picture as a file: its type (`image/jpeg`), its bytes, and the ending for its name (`.jpg`)."""

    media_type: str
    data: bytes
    suffix: str


class Generator(Protocol):
    """Makes a new picture from a picture; the same for the same picture, options and seed, in any thread or process."""

    @property
    def name(self) -> str:
        """The feature that it is charged as."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def description(self) -> str:
        """A sentence on what it does."""

    @property
    def options(self) -> tuple[Option, ...]:
        """Its options, in the order of a form."""

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:
        """Return the new picture; raises OptionError for an unknown option or a value that is not allowed."""


def chosen(available: Sequence[Option], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of every option, given or default; raises OptionError for an unknown option or value."""
    names = [option.name for option in available]
    for name, value in given.items():
        if name not in names:
            raise OptionError(name, value, ["left out: this feature has no such option"])
    values: dict[str, str] = {}
    for option in available:
        if isinstance(option, Area):
            values[option.name] = given.get(option.name, "")
            continue
        value = given.get(option.name, option.default)
        allowed = [key for key, _ in option.values]
        if value not in allowed:
            raise OptionError(option.name, value, allowed)
        values[option.name] = value
    return values
