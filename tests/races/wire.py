"""HTTP/1.1 over a socket of one's own: one connection, one request at a time, and no more than a race needs.

A client library's pool costs more than the server when two hundred requests go out at once. It reads answers that
state their length, as all of Sixpence's do.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self
from urllib.parse import urlsplit


class WireError(Exception):
    """The connection ended, or could not be made, before a whole answer was there."""


class Reply:
    """An answer: its status, its headers by lower-case names, and its body."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status = status
        self.headers = headers
        self.content = content

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.content)


class Connection:
    """A connection to a server, with headers that go with every request."""

    def __init__(
        self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: Mapping[str, str]
    ) -> None:
        self.url = url
        self._reader = reader
        self._writer = writer
        self._headers = headers

    @classmethod
    async def open(cls, url: str, **headers: str) -> Self:
        """Connect; raises `WireError` where nobody listens."""
        place = urlsplit(url)
        try:
            reader, writer = await asyncio.open_connection(place.hostname, place.port)
        except OSError as error:
            raise WireError(str(error)) from error
        return cls(url, reader, writer, {"host": place.netloc, **headers})

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Send a request, with a body as JSON where there is one; underscores in headers' names are hyphens."""
        content = b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", f"content-length: {len(content)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in {**self._headers, **headers}.items()]
        return await self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + content)

    async def send(self, request: bytes) -> Reply:
        """Send these bytes and read one answer; raises `WireError` when the server goes away before it."""
        try:
            self._writer.write(request)
            await self._writer.drain()
            head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            content = await self._reader.readexactly(int(headers.get("content-length", 0)))
        except (OSError, asyncio.IncompleteReadError) as error:
            raise WireError(str(error)) from error
        return Reply(int(first.split()[1]), headers, content)

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
