"""What can be wrong with what a generator is given.

    GeneratorError (ValueError)
    ├── OptionError    an option's value is not one of those allowed
    └── PictureError   the picture cannot be used

Each carries a stable `code` and reads as a sentence for the person who asked. All survive pickling, so a worker
process can raise them.
"""

from collections.abc import Sequence
from typing import ClassVar


class GeneratorError(ValueError):
    """A generation that cannot be made as asked, through no fault of the generator."""

    code: ClassVar[str] = "invalid-generation"


class OptionError(GeneratorError):
    """An option was given a value it does not have; `allowed` names those it has (or says how to write one)."""

    code: ClassVar[str] = "invalid-option"

    def __init__(self, option: str, value: str, allowed: Sequence[str]) -> None:
        self.option, self.value, self.allowed = option, value, tuple(allowed)
        shown = value if len(value) <= 60 else value[:57] + "..."
        super().__init__(f"{option} cannot be {shown!r}; it can be {', '.join(self.allowed)}.")

    def __reduce__(self) -> tuple[type["OptionError"], tuple[str, str, tuple[str, ...]]]:
        return type(self), (self.option, self.value, self.allowed)


class PictureError(GeneratorError):
    """The uploaded bytes are no picture that can be used; the message says why and what to do."""

    code: ClassVar[str] = "invalid-picture"
