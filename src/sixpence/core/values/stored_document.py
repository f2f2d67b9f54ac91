"""Reading JSON that was stored: whatever stands there, what cannot be read is one kind of error.

Not here: what the documents say (beside each shape), and what is sent by others (`sixpence.http`).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")


def decoder_of(shape: type[Shape]) -> Callable[[str | bytes], Shape]:
    """What reads documents of this shape; raises `MsgspecError` for any other text, also one nested without an end."""
    decode: Callable[[Any], Shape] = msgspec.json.Decoder(shape).decode

    def read(document: str | bytes) -> Shape:
        try:
            return decode(document)
        except RecursionError as error:
            raise msgspec.DecodeError("it is nested too deeply") from error
        except UnicodeError as error:  # SQLite keeps any bytes as text
            raise msgspec.DecodeError(f"it is no text: {error}") from error

    return read
