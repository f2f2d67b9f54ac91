"""The errors of a generator: an option or a picture that it cannot use.

    GeneratorError (ValueError)
    ├── OptionError    an option's value is not one of those allowed
    └── PictureError   the picture cannot be used

Each has a stable `code` and a message for the customer. All can be pickled, so a worker process can raise them.
"""

from collections.abc import Sequence
from typing import ClassVar


class GeneratorError(ValueError):
    """The order cannot be made because of its picture or options; the generator has no defect."""

    code: ClassVar[str] = "invalid-generation"


class OptionError(GeneratorError):
    """An option has a value that is not allowed; `allowed` lists the values that are, or how to write one."""

    code: ClassVar[str] = "invalid-option"

    def __init__(self, option: str, value: str, allowed: Sequence[str]) -> None:
        self.option, self.value, self.allowed = option, value, tuple(allowed)
        shown = value if len(value) <= 60 else value[:57] + "..."
        super().__init__(f"{option} cannot be {shown!r}; it can be {', '.join(self.allowed)}.")

    def __reduce__(self) -> tuple[type["OptionError"], tuple[str, str, tuple[str, ...]]]:
        return type(self), (self.option, self.value, self.allowed)


class PictureError(GeneratorError):
    """The uploaded bytes are not a usable picture; the message says why and what to do."""

    code: ClassVar[str] = "invalid-picture"
