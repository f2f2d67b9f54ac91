"""Describes what is wrong with a body: the field, its value, and what to send instead.

Used only after a body was refused, so it may read the body again. Not here: reading (`bodies`).
"""

import json
import re
from typing import Any

import msgspec

from sixpence.core.errors import InvalidInputError
from sixpence.http.wire.errors import MalformedBodyError

SHOWN_MAX = 60

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$\.?(?P<where>[^`]*)`)?$", re.DOTALL)
_EXPECTED = re.compile(r"Expected `(?P<kind>\w+)(?P<optional> \| null)?`")
_NAMED = re.compile(r"(?P<how>required|unknown) field `(?P<name>.*)`$", re.DOTALL)
_SURROGATE = re.compile(r"[\ud800-\udfff]")

_KINDS = {
    "int": ("a whole number", "Send one like 5, without quotes, point or exponent"),
    "str": ("text", 'Send a string in quotes, like "text"'),
    "array": ("a list", 'Send one in square brackets, like ["text"]'),
    "bool": ("true or false", "Send one of these, without quotes"),
    "object": ("an object", 'Send one in curly brackets, like {"name": "text"}'),
}


def of_field(error: msgspec.ValidationError, body: bytes, shape: type) -> Exception:
    """The error for JSON that does not match the shape: `InvalidInputError` for a field, else `MalformedBodyError`."""
    at = _AT.match(str(error))
    assert at is not None
    what, where = at["what"], at["where"] or ""
    named = _NAMED.search(what)
    if named:
        names = _names_at(shape, where)
        field = ".".join(part for part in (where, _cut(named["name"])) if part)
        if named["how"] == "required":
            return InvalidInputError(field, f"is missing. {where or 'This request'} takes: {', '.join(names)}.")
        remedy = f"Leave it out; it takes: {', '.join(names)}."
        return InvalidInputError(field, f"is not a field of {where or 'this request'}. {remedy}")
    value = _value_at(body, where)
    if not where:
        return MalformedBodyError(f"The body is not an object: {value}. Send a JSON object.", field="body")
    expected = _EXPECTED.match(what)
    kind, remedy = _KINDS.get(expected["kind"], ("", "")) if expected else ("", "")
    if kind:
        otherwise = ", or leave the field out" if expected and expected["optional"] else ""
        return InvalidInputError(where, f"{value} is not {kind}. {remedy}{otherwise}.")
    choices = _choices(shape, where)
    if choices:
        return InvalidInputError(where, f"{value} is not one of {', '.join(choices)}. Send one of these.")
    return InvalidInputError(where, f"{value} is out of range. Send a smaller number.")


def of_text(error: Exception, body: bytes) -> Exception:
    """The error for bytes that are not JSON; `error` is the decoder's."""
    if isinstance(error, RecursionError):
        return _malformed("is nested too deep")
    try:
        value = json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as where:
        return _malformed(f"is not UTF-8 (byte {where.start})")
    except json.JSONDecodeError as where:
        return _malformed(f"is not valid JSON: {where.msg}, line {where.lineno}, column {where.colno}")
    except (ValueError, RecursionError):
        return _malformed(f"is not valid JSON: {error}")
    # Python's decoder accepts lone surrogates as escapes; no database does.
    for name, part in value.items() if isinstance(value, dict) else ():
        if _SURROGATE.search(name) or _SURROGATE.search(json.dumps(part, ensure_ascii=False)):
            return InvalidInputError(_cut(name), "has a lone surrogate, half of a character. Remove it.")
    return _malformed(f"is not valid JSON: {error}")


def _malformed(problem: str) -> MalformedBodyError:
    return MalformedBodyError(f"The body {problem}. Send a JSON object in UTF-8.", field="body")


def _value_at(body: bytes, where: str) -> str:
    """The value at a path such as `features[0]`, as JSON, cut when it is long."""
    try:
        value: Any = msgspec.json.decode(body)
        for step in re.findall(r"\[(\d+)\]|([^.\[\]]+)", where):
            value = value[int(step[0])] if step[0] else value[step[1]]
        return _cut(json.dumps(value))
    except (msgspec.DecodeError, LookupError, TypeError, ValueError, RecursionError):
        return "this value"


def _choices(shape: type, where: str) -> list[str]:
    kind = _kind_at(shape, where)
    return [str(value) for value in kind.values] if isinstance(kind, msgspec.inspect.LiteralType) else []


def _names_at(shape: type, where: str) -> list[str]:
    kind = _kind_at(shape, where)
    return [field.encode_name for field in kind.fields] if isinstance(kind, msgspec.inspect.StructType) else []


def _kind_at(shape: type, where: str) -> msgspec.inspect.Type:
    """The type at a path such as `usage`; for a field that may be null, its other type."""
    kind: msgspec.inspect.Type = msgspec.inspect.type_info(shape)
    for step in where.split(".") if where else ():
        assert isinstance(kind, msgspec.inspect.StructType)
        kind = next((field.type for field in kind.fields if field.encode_name == step), msgspec.inspect.NoneType())
        if isinstance(kind, msgspec.inspect.UnionType):
            kind = next(each for each in kind.types if not isinstance(each, msgspec.inspect.NoneType))
    return kind


def _cut(text: str) -> str:
    text = text.encode("ascii", "backslashreplace").decode()
    return text if len(text) <= SHOWN_MAX else text[: SHOWN_MAX - 3] + "..."
