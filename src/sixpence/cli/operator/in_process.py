"""Asking an ASGI application in this process: one request, one answer, no socket."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message


async def ask(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
    """The status and the body of the answer; what the application raises is raised here."""
    path, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        # Nobody goes away while the answer is made, so nothing listens for that.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": None,
        "server": None,
    }
    asked = False
    status = 0
    parts: list[bytes] = []

    async def receive() -> Message:
        nonlocal asked
        if asked:
            return {"type": "http.disconnect"}
        asked = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts)
