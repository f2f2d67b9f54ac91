"""Calls: what is sent to the app, and the bytes of it. How it is sent, and when it is cut off, stands in `wire`."""

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

_BREAKS = re.compile(r"[\r\n\0]")


class Call(msgspec.Struct, frozen=True):
    """A request to the app: `json` is sent as JSON, or else `body` as it is."""

    method: str
    path: str
    json: Any = None
    headers: Mapping[str, str] = {}
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# Makes the call of one intended use or event, by its key: sent again, it is the same key and so the same call.
KeyedCall = Callable[[str], Call]


class Answer(msgspec.Struct, frozen=True):
    """A whole answer: its status, its headers by lower-case names, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Place(msgspec.Struct, frozen=True):
    """Where an app listens; `base` is a path that all its calls begin with."""

    host: str
    port: int
    tls: bool = False
    base: str = ""

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.netloc}{self.base}"

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def place_at(url: str) -> Place:
    """The place a URL names; raises `RaceError`."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise RaceError(f"{url!r} is no URL: {error}. Give one as http://127.0.0.1:8000.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise RaceError(f"{url!r} does not say where an app listens. Give a URL as http://127.0.0.1:8000.")
    tls = parts.scheme == "https"
    return Place(parts.hostname, port or (443 if tls else 80), tls, parts.path.rstrip("/"))


def keyed(call: Call | KeyedCall) -> KeyedCall:
    """The call of each key: a call that is always the same carries the key as its `Idempotency-Key`."""
    if not isinstance(call, Call):
        return partial(_made, call)
    return lambda key: msgspec.structs.replace(call, headers={**call.headers, KEY_HEADER: key})


def bytes_of(call: Call, place: Place) -> bytes:
    """The request as it goes over the wire, the only one of its connection; raises `RaceError`."""
    body = _body_of(call)
    own = {"Host": place.netloc, "Connection": "close", "Content-Length": str(len(body))}
    if call.json is not None:
        own["Content-Type"] = "application/json"
    given = {name.lower() for name in call.headers}
    headers = {**{name: value for name, value in own.items() if name.lower() not in given}, **call.headers}
    lines = [f"{call.method} {place.base}{call.path} HTTP/1.1"]
    if _breaks_a_head(lines[0]):
        raise RaceError(f"{lines[0]!r} cannot stand in a request's head. Percent-encode what is not plain ASCII.")
    for name, value in headers.items():
        line = f"{name}: {value}"
        if _breaks_a_head(line):
            # Its value may be a key, and a message goes into logs.
            raise RaceError(f"The header {name!r} is not plain ASCII on one line. Percent-encode it or take that out.")
        lines.append(line)
    if not call.path.startswith("/") or " " in call.path:
        raise RaceError(f"{call.path!r} is no path. Give one as /generate, percent-encoded.")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _made(make: KeyedCall, key: str) -> Call:
    call = make(key)
    if not isinstance(call, Call):
        raise RaceError(f"The function of a key gave {shown(call)}, which is no call. Return a Call(...).")
    return call


def _body_of(call: Call) -> bytes:
    if call.json is None:
        if not isinstance(call.body, bytes):
            raise RaceError(f"body={shown(call.body)} is not bytes. Encode it, or give what is to be JSON as `json`.")
        return call.body
    try:
        return json.dumps(call.json, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RaceError(f"json={shown(call.json)} cannot be sent as JSON: {error}. Give another value.") from None


def _breaks_a_head(line: str) -> bool:
    return not line.isascii() or _BREAKS.search(line) is not None
