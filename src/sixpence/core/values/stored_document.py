"""Decoding stored JSON: any text that cannot be decoded raises one kind of error.

Not here: the shapes of the documents (beside what they store), and JSON that clients send (`sixpence.http`).
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

Shape = TypeVar("Shape")


def decoder_of(shape: type[Shape]) -> Callable[[str | bytes], Shape]:
    """Return a decoder for documents of this shape; it raises `MsgspecError` for any other text, however deep."""
    decode: Callable[[Any], Shape] = msgspec.json.Decoder(shape).decode

    def read(document: str | bytes) -> Shape:
        try:
            return decode(document)
        except RecursionError as error:
            raise msgspec.DecodeError("it is nested too deeply") from error
        except UnicodeError as error:  # SQLite stores any bytes as text
            raise msgspec.DecodeError(f"it is no text: {error}") from error

    return read
