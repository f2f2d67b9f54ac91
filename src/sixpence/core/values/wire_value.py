"""`WireValue`: what the service returns, as plain JSON data with the shape that HTTP has.

FastAPI (pydantic) takes such a value as an answer and its class as `response_model`. A schema of pydantic is a plain
dict, so nothing is imported for it. Not here: instants (`instant`), and the shape of each value (its own class).
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec


class WireValue:
    """A mixin for structs that callers receive."""

    __slots__ = ()

    def to_wire(self) -> dict[str, Any]:
        """Return the value as HTTP has it, in plain JSON data: dicts, lists, strings, numbers, booleans and None."""
        # The bytes of HTTP, read again: a tuple is a list, a time is a string.
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self.wire_fields()))
        return plain

    def wire_fields(self) -> Any:
        """Return the fields of the JSON object; by default the struct's own fields."""
        return self

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """Yield the names and values of `to_wire`, so that `dict(value)` is plain data; FastAPI calls this."""
        yield from self.to_wire().items()

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the schema for pydantic: instances of this class, serialized by `to_wire`."""
        serialization = {"type": "function-plain", "function": WireValue.to_wire}
        return {"type": "is-instance", "cls": cls, "serialization": serialization}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Callable[[Any], Any]) -> dict[str, Any]:
        """Return the schema for OpenAPI: an object of this name."""
        return {"type": "object", "title": cls.__name__}
