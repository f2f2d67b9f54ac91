"""Reading requests: a JSON object into a struct with every fault named by its field, and the idempotency key."""

import re
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request

from sixpence.core import metadata as metadata_text
from sixpence.core.errors import InvalidInputError
from sixpence.http.errors import BodyTooLargeError, MalformedBodyError

T = TypeVar("T")

_AT = re.compile(r"^(?P<what>.*?) - at `\$\.?(?P<where>[^`]*)`$", re.DOTALL)
_NAMED = re.compile(r"(?:required|unknown) field `(?P<name>[^`]*)`")


async def read_body(request: Request, shape: type[T], *, bytes_max: int) -> T:
    """The body as `shape`; raises `MalformedBodyError` for what is no JSON object, `InvalidInputError` for a field."""
    body = await _read(request, bytes_max)
    if not body.strip():
        raise MalformedBodyError("The body is empty. Send a JSON object.", field="body")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise _field_error(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        detail = f"The body is not valid JSON: {error}. Send a JSON object in UTF-8."
        raise MalformedBodyError(detail, field="body") from None


def metadata_of(raw: msgspec.Raw | msgspec.UnsetType) -> dict[str, Any] | None:
    """The metadata object that was sent, None where there was none."""
    return None if isinstance(raw, msgspec.UnsetType) else metadata_text.from_wire(bytes(raw))


def idempotency_key(request: Request) -> str | None:
    """The caller's name for this change, from the header `Idempotency-Key`."""
    keys = request.headers.getlist("idempotency-key")
    if len(keys) > 1:
        raise InvalidInputError("Idempotency-Key", "was sent more than once. Send one.")
    return keys[0] if keys else None


async def _read(request: Request, bytes_max: int) -> bytes:
    parts = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            raise BodyTooLargeError(f"The body has more than {bytes_max} bytes. Send less.", field="body")
        parts.append(part)
    return b"".join(parts)


def _field_error(text: str) -> Exception:
    at = _AT.match(text)
    what, where = (at["what"], at["where"]) if at else (text, "")
    named = _NAMED.search(what)
    field = ".".join(part for part in (where, named["name"] if named else "") if part)
    if not field:
        return MalformedBodyError(f"The body is not what is expected here: {what}. Send a JSON object.", field="body")
    if named and "required" in what:
        return InvalidInputError(field, "is missing. Send it.")
    if named:
        return InvalidInputError(field, "is not a field of this request. Leave it out.")
    return InvalidInputError(field, f"{what}.")
