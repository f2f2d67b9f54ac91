"""Calls: the requests of a race, their bytes, and the address of the app.

Not here: the connection, and hanging up in the middle (`client.connection`).
"""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from sixpence.core.values.bounds import shown
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


class Address(msgspec.Struct, frozen=True):
    """The address of an app; `base` is the prefix of all its paths."""

    host: str
    port: int
    tls: bool = False
    base: str = ""

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}{self.base}"

    @property
    def netloc(self) -> str:
        """Host and port, as in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def address_from_url(url: str) -> Address:
    """The address in a URL; raises `RaceError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RaceError(f"{url!r} is no URL: {error}. Give one such as http://127.0.0.1:8000.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise RaceError(f"{url!r} is not the URL of an app. Give one such as http://127.0.0.1:8000.")
    tls = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"))


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
