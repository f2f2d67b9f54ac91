"""Bodies of the sign-in's requests, and its answers, in Better Auth's wording: `{message, code}` for what is wrong.

Not here: what an e-mail or a password must look like (`sixpence.auth`).
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request

from sixpence.auth.session import SignedIn
from sixpence.auth.user import User
from sixpence.core.values.instant import to_wire

BODY_BYTES_MAX = 64 * 1024

# The names of JavaScript's types, as Better Auth uses them.
_NAMES = {str: "string", bool: "boolean", int: "number", float: "number", list: "array", dict: "object"}


class BodyRefusedError(Exception):
    """A body that cannot be read; `code` is Better Auth's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


async def read_fields(
    request: Request, required: Mapping[str, type], optional: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """The known fields of a JSON object; raises `BodyRefusedError`, which names every wrong field."""
    return _checked(_decoded(await _read(request), request), required, optional or {})


async def read_empty(request: Request) -> None:
    """Read a body without fields: empty, or any JSON object; raises `BodyRefusedError`."""
    body = await _read(request)
    if body:
        _checked(_decoded(body, request), {}, {})


def user_to_wire(user: User) -> dict[str, object]:
    """A user in Better Auth's names."""
    return {
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "emailVerified": user.email_verified,
        "image": user.image,
        "createdAt": _instant_to_wire(user.created_at),
        "updatedAt": _instant_to_wire(user.updated_at),
        "role": user.role,
    }


def session_to_wire(signed_in: SignedIn) -> dict[str, object]:
    """A session in Better Auth's names."""
    session = signed_in.session
    return {
        "id": session.id,
        "token": signed_in.token,
        "userId": session.user_id,
        "expiresAt": _instant_to_wire(session.expires_at),
        "createdAt": _instant_to_wire(session.created_at),
        "updatedAt": _instant_to_wire(session.updated_at),
        "ipAddress": session.ip_address,
        "userAgent": session.user_agent,
    }


def _instant_to_wire(instant: int) -> str:
    # JavaScript's clock has milliseconds.
    return to_wire(instant).removesuffix("Z")[:-3] + "Z"


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > BODY_BYTES_MAX:
                message = f"[body] More than {BODY_BYTES_MAX} bytes. Send a shorter one."
                raise BodyRefusedError(413, "PAYLOAD_TOO_LARGE", message)
    except ClientDisconnect:
        raise BodyRefusedError(400, "BAD_REQUEST", "[body] Ended too early.") from None
    return bytes(body)


def _decoded(body: bytes, request: Request) -> object:
    if body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            message = f'Content-Type "{kind}" is not allowed. Allowed types: application/json'
            raise BodyRefusedError(415, "UNSUPPORTED_MEDIA_TYPE", message)
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BodyRefusedError(400, "BAD_REQUEST", "[body] Invalid JSON in request body") from None


def _checked(value: object, required: Mapping[str, type], optional: Mapping[str, type]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _validation_error([_mismatch("body", "object", _name_of(value))])
    known = {**required, **optional}
    fields = {name: value[name] for name in known if name in value}
    wrong = [
        _mismatch(f"body.{name}", _NAMES[kind], _name_of(fields[name]) if name in fields else "undefined")
        for name, kind in known.items()
        if (name in fields and type(fields[name]) is not kind) or (name in required and name not in fields)
    ]
    if wrong:
        raise _validation_error(wrong)
    return fields


def _mismatch(place: str, expected: str, received: str) -> str:
    return f"[{place}] Invalid input: expected {expected}, received {received}"


def _name_of(value: object) -> str:
    return _NAMES.get(type(value), "null")


def _validation_error(wrong: list[str]) -> BodyRefusedError:
    return BodyRefusedError(400, "VALIDATION_ERROR", "; ".join(wrong))
