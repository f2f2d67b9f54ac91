"""Reads a request: its JSON body into a Struct, with errors that name the field, and its idempotency key."""

from typing import Any, TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from sixpence.core.errors import InvalidInputError
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import KEY_LENGTH_MAX, check_text, shown
from sixpence.http.wire import body_errors
from sixpence.http.wire.errors import BodyTooLargeError, MalformedBodyError

T = TypeVar("T")

KEY_HEADER = "Idempotency-Key"
_KEY_NAME = KEY_HEADER.lower().encode()


async def read_body(request: Request, shape: type[T], *, bytes_max: int) -> T:
    """The body as `shape`; raises `MalformedBodyError` unless it is a JSON object, `InvalidInputError` for a field."""
    return decoded(await _read(request, bytes_max), shape)


def decoded(body: bytes, shape: type[T]) -> T:
    """These bytes as `shape`; raises as `read_body` does."""
    if not body.strip():
        raise MalformedBodyError("The body is empty. Send a JSON object.", field="body")
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise body_errors.of_field(error, body, shape) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise body_errors.of_text(error, body) from None


def metadata_of(raw: msgspec.Raw | msgspec.UnsetType) -> dict[str, Any] | None:
    """The metadata object that was sent, None when it was left out."""
    return None if isinstance(raw, msgspec.UnsetType) else metadata_text.from_wire(bytes(raw))


def idempotency_key(request: Request) -> str | None:
    """The value of the header `Idempotency-Key`; None when it is missing."""
    keys = [value for name, value in request.scope["headers"] if name == _KEY_NAME]
    if not keys:
        return None
    if len(keys) > 1:
        raise InvalidInputError(KEY_HEADER, f"was sent {len(keys)} times. Send it once.")
    # Space around a header's value is not part of it (RFC 9110, section 5.5), and some proxies remove it.
    key = keys[0].decode("latin-1").strip(" \t")
    if not key.isascii():
        # Clients disagree on the encoding, so one key could become two.
        raise InvalidInputError(KEY_HEADER, f"{shown(key)} is not ASCII. Send letters, digits and signs.")
    return check_text(KEY_HEADER, key, length_max=KEY_LENGTH_MAX)


async def _read(request: Request, bytes_max: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > bytes_max:
            raise BodyTooLargeError(f"The body has more than {bytes_max} bytes. Send less.", field="body")
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)
