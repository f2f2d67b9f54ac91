"""A server for an ASGI app on a real socket, in the caller's event loop; one request a connection.

It behaves as uvicorn does: a client that hangs up is an `http.disconnect`, data for a disconnected client is dropped,
the app is not cancelled, and an exception is a 500. Not here: apps that need another server, which are raced by URL.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from sixpence.testing.races.client.address import Address
from sixpence.testing.races.errors import RaceError

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_BACKLOG = 1024
_CHUNK_BYTES = 65_536
_END_SECONDS = 2.0


class AsgiServer:
    """Serves an app, and records its running requests and the exceptions that it raised."""

    def __init__(self, app: AsgiApp) -> None:
        self.busy = 0
        self.raised: list[str] = []
        self._app = app
        self._state: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Address]:
        """Serve the app inside the context, from its startup to its shutdown."""
        async with _Lifespan(self._app, self._state):
            server = await asyncio.start_server(self._handle_connection, "127.0.0.1", 0, backlog=_BACKLOG)
            host, port = server.sockets[0].getsockname()[:2]
            try:
                yield Address(host, port)
            finally:
                server.close()
                await self._end_requests()

    async def _end_requests(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_END_SECONDS)
        for task in self._tasks:
            task.cancel()

    async def _handle_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
            return
        scope, length = _to_scope(head, writer, self._state)
        exchange = _Exchange(reader, writer, length, bodyless=scope["method"] == "HEAD")
        reading = asyncio.create_task(exchange.read())
        self.busy += 1
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - any exception of an app is a 500, as behind any server
            # An exception after the client has disconnected is no defect of the app.
            if not exchange.is_disconnected:
                self.raised.append(f"{type(error).__name__}: {error}")
        finally:
            self.busy -= 1
            reading.cancel()
            await exchange.finish()


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, length: int, *, bodyless: bool
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._length = length
        self._bodyless = bodyless
        self._messages: list[Message] = []
        self._changed = asyncio.Event()
        self.is_disconnected = False
        self._complete = False
        self._start: Message | None = None
        self._head_sent = False
        self._chunked = False

    async def read(self) -> None:
        """Read the body as it arrives, then wait until the client disconnects."""
        left = self._length
        if not left:
            self._put(b"", more=False)
        try:
            while data := await self._reader.read(min(left, _CHUNK_BYTES) or 1):
                if left:
                    left -= len(data)
                    self._put(data, more=left > 0)
        except OSError:
            pass
        self.is_disconnected = True
        self._changed.set()

    async def receive(self) -> Message:
        """The next message for the app."""
        while not self._messages:
            if self.is_disconnected or self._complete:
                return {"type": "http.disconnect"}
            self._changed.clear()
            await self._changed.wait()
        return self._messages.pop(0)

    async def send(self, message: Message) -> None:
        """Send a message of the app; it is dropped if the client has disconnected."""
        if self.is_disconnected or self._complete:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            raise RuntimeError(f"{message['type']} is not valid here: send http.response.start, then the body")
        if not self._head_sent:
            self._head_sent = True
            self._writer.write(self._head(self._start))
        data, more = message.get("body", b""), message.get("more_body", False)
        if data and not self._bodyless:
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        if not more:
            self._writer.write(b"0\r\n\r\n" if self._chunked and not self._bodyless else b"")
            self._complete = True
            self._changed.set()
        try:
            await self._writer.drain()
        except OSError:
            self.is_disconnected = True

    async def finish(self) -> None:
        """Answer 500 if the app sent no head, and close the connection; an unfinished answer stays unfinished."""
        if not self._head_sent:
            self._start = None
            await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"21")]})
            await self.send({"type": "http.response.body", "body": b"Internal Server Error"})
        self._writer.close()

    def _put(self, data: bytes, *, more: bool) -> None:
        self._messages.append({"type": "http.request", "body": data, "more_body": more})
        self._changed.set()

    def _head(self, start: Message) -> bytes:
        status = start["status"]
        headers = [(bytes(name).lower(), bytes(value)) for name, value in start.get("headers", ())]
        names = {name for name, _ in headers}
        if not names & {b"content-length", b"transfer-encoding"} and status not in (204, 304):
            self._chunked = True
            headers.append((b"transfer-encoding", b"chunked"))
        phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
        lines = [f"HTTP/1.1 {status} {phrase}".encode(), *(b"%b: %b" % each for each in headers), b"connection: close"]
        return b"\r\n".join(lines) + b"\r\n\r\n"


class _Lifespan:
    """The app's startup and shutdown, if it supports them."""

    def __init__(self, app: AsgiApp, state: dict[str, Any]) -> None:
        self._scope: Message = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        self._app = app
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._replies: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._run())
        await self._run_event("startup")

    async def __aexit__(self, *_: object) -> None:
        await self._run_event("shutdown")

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._replies.put)
        except Exception:  # noqa: BLE001 - by the specification an app that raises here does not support lifespan
            return

    async def _receive(self) -> Message:
        return {"type": f"lifespan.{await self._events.get()}"}

    async def _run_event(self, event: str) -> None:
        self._events.put_nowait(event)
        waiting = asyncio.create_task(self._replies.get())
        await asyncio.wait((self._task, waiting), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            return
        reply = waiting.result()
        if reply["type"] == f"lifespan.{event}.failed":
            raise RaceError(f"The app's {event} failed: {reply.get('message') or 'it gave no reason'}")


def _to_scope(head: str, writer: asyncio.StreamWriter, state: dict[str, Any]) -> tuple[Message, int]:
    first, *lines = head[:-4].split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    parted = (line.partition(":") for line in lines)
    headers = [(name.lower().encode("latin-1"), value.strip().encode("latin-1")) for name, _, value in parted]
    scope: Message = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("latin-1"),
        "root_path": "",
        "query_string": query.encode("latin-1"),
        "headers": headers,
        "client": writer.get_extra_info("peername")[:2],
        "server": writer.get_extra_info("sockname")[:2],
        "state": dict(state),
    }
    return scope, int(dict(headers).get(b"content-length", b"0"))
