"""Calls: the requests of a race, and their bytes.

Not here: the address of the app (`client.address`), and the connection (`client.connection`).
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from sixpence.core.values.bounds import shown
from sixpence.testing.races.client.address import Address
from sixpence.testing.races.errors import RaceError

KEY_HEADER = "Idempotency-Key"

_LINE_BREAKS = re.compile(r"[\r\n\0]")


class Call(msgspec.Struct, frozen=True):
    """A request to the app. `json` is sent as JSON; without it, `body` is sent unchanged."""

    method: str
    path: str
    json: Any = None
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# Makes the call of one use or event from its key. A repeated call has the same key, and so is the same call.
KeyedCall = Callable[[str], Call]


class Answer(msgspec.Struct, frozen=True):
    """A complete answer: its status, its headers by lower-case names, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON."""
        return json.loads(self.body)


def to_keyed_call(call: Call | KeyedCall) -> KeyedCall:
    """A function that gives each key's call: a constant `Call` gets the key as the header `Idempotency-Key`."""
    if not isinstance(call, Call):
        return partial(_make_call, call)
    return lambda key: msgspec.structs.replace(call, headers={**call.headers, KEY_HEADER: key})


def encode_request(call: Call, address: Address) -> bytes:
    """The bytes of the request, which is the only one on its connection; raises `RaceError`."""
    body = _body_of(call)
    defaults = {"Host": address.netloc, "Connection": "close", "Content-Length": str(len(body))}
    if call.json is not None:
        defaults["Content-Type"] = "application/json"
    given = {name.lower() for name in call.headers}
    headers = {**{name: value for name, value in defaults.items() if name.lower() not in given}, **call.headers}
    lines = [f"{call.method} {address.base}{call.path} HTTP/1.1"]
    if not _is_header_line(lines[0]):
        raise RaceError(f"{lines[0]!r} is no valid request line. Percent-encode every character beyond ASCII.")
    for name, value in headers.items():
        line = f"{name}: {value}"
        if not _is_header_line(line):
            # The message may be logged, and the value may be a key.
            raise RaceError(
                f"The header {name!r} is not plain ASCII on one line. Percent-encode or remove the other characters."
            )
        lines.append(line)
    if not call.path.startswith("/") or " " in call.path:
        raise RaceError(f"{call.path!r} is no path. Give one such as /generate, percent-encoded.")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _make_call(make: KeyedCall, key: str) -> Call:
    call = make(key)
    if not isinstance(call, Call):
        raise RaceError(f"The function for a key returned {shown(call)}, which is no call. Return a Call(...).")
    return call


def _body_of(call: Call) -> bytes:
    if call.json is None:
        if not isinstance(call.body, bytes):
            raise RaceError(f"body={shown(call.body)} is not bytes. Encode it, or give JSON as `json`.")
        return call.body
    try:
        return json.dumps(call.json, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RaceError(f"json={shown(call.json)} cannot be sent as JSON: {error}. Give another value.") from None


def _is_header_line(line: str) -> bool:
    return line.isascii() and _LINE_BREAKS.search(line) is None
