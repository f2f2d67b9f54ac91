"""What a generator is: a feature's name and options, and a picture made anew. A real model may stand behind it.

Which generators there are is said in the package itself; what can go wrong, in errors.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from sixpence_studio.generators.errors import OptionError
from sixpence_studio.generators.picture import Picture


@dataclass(frozen=True)
class Choice:
    """An option with a few allowed values, each with its label; the default applies where none is given."""

    name: str
    label: str
    values: tuple[tuple[str, str], ...]
    default: str
    kind: ClassVar[str] = "choice"


@dataclass(frozen=True)
class Area:
    """An option that marks places of the picture; `how` says how its value is written. It must be given."""

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
    """Makes a new picture of a picture; the same for the same picture, options and seed, in any thread or process."""

    @property
    def name(self) -> str:
        """The feature it is charged as."""

    @property
    def title(self) -> str:
        """Its name for people."""

    @property
    def description(self) -> str:
        """What it does, in a sentence."""

    @property
    def options(self) -> tuple[Option, ...]:
        """What one can choose."""

    def generate(self, picture: Picture, options: Mapping[str, str], seed: int) -> Result:
        """The new picture; raises OptionError for a value or a name that is not among `options`."""


def chosen(available: Sequence[Option], given: Mapping[str, str]) -> dict[str, str]:
    """The value of every option: the given one where there is one, else the default; raises OptionError."""
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
