"""An ASGI app behind a real socket, in the event loop of whoever asks: one request a connection, and no more.

It does what uvicorn does as far as an app can tell: a client that hangs up is `http.disconnect`, what is sent to one
that has gone is dropped, the app is not cancelled, and whatever it raises is a 500. An app that needs a server of its
own is started by its developer and raced by its URL.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from sixpence.testing.races.calls import Place
from sixpence.testing.races.errors import RaceError

Message = MutableMapping[str, Any]
AsgiApp = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_BACKLOG = 1024
_CHUNK_BYTES = 65_536
_END_SECONDS = 2.0


class AsgiServer:
    """A running app: where it listens, how many requests it is at work on, and what it raised."""

    def __init__(self, app: AsgiApp) -> None:
        self.busy = 0
        self.raised: list[str] = []
        self._app = app
        self._state: dict[str, Any] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Place]:
        """The app from its startup to its shutdown."""
        async with _Lifespan(self._app, self._state):
            server = await asyncio.start_server(self._connected, "127.0.0.1", 0, backlog=_BACKLOG)
            host, port = server.sockets[0].getsockname()[:2]
            try:
                yield Place(host, port)
            finally:
                server.close()
                await self._end()

    async def _end(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_END_SECONDS)
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            writer.transport.abort()
            return
        scope, length = _scope_of(head, writer, self._state)
        exchange = _Exchange(reader, writer, length, bodyless=scope["method"] == "HEAD")
        listening = asyncio.create_task(exchange.listen())
        self.busy += 1
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except Exception as error:  # noqa: BLE001 - whatever an app raises is a 500, as behind any server
            # What an app meets with when its client has gone is the client's doing.
            if not exchange.gone:
                self.raised.append(f"{type(error).__name__}: {error}")
        finally:
            self.busy -= 1
            listening.cancel()
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
        self._parts: list[Message] = []
        self._news = asyncio.Event()
        self.gone = False
        self._complete = False
        self._start: Message | None = None
        self._begun = False
        self._chunked = False

    async def listen(self) -> None:
        """Take in the body as it comes, then wait for the client to go."""
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
        self.gone = True
        self._news.set()

    async def receive(self) -> Message:
        """The next message for the app."""
        while not self._parts:
            if self.gone or self._complete:
                return {"type": "http.disconnect"}
            self._news.clear()
            await self._news.wait()
        return self._parts.pop(0)

    async def send(self, message: Message) -> None:
        """A message from the app; one for a client that has gone is dropped."""
        if self.gone or self._complete:
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        if message["type"] != "http.response.body" or self._start is None:
            raise RuntimeError(f"{message['type']} cannot be sent here: an answer is its start, then its body")
        if not self._begun:
            self._begun = True
            self._writer.write(self._head(self._start))
        data, more = message.get("body", b""), message.get("more_body", False)
        if data and not self._bodyless:
            self._writer.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        if not more:
            self._writer.write(b"0\r\n\r\n" if self._chunked and not self._bodyless else b"")
            self._complete = True
            self._news.set()
        try:
            await self._writer.drain()
        except OSError:
            self.gone = True

    async def finish(self) -> None:
        """Answer 500 where nothing was answered, and hang up: what was not answered whole breaks off."""
        if not self._begun:
            self._start = None
            await self.send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"21")]})
            await self.send({"type": "http.response.body", "body": b"Internal Server Error"})
        self._writer.close()

    def _put(self, data: bytes, *, more: bool) -> None:
        self._parts.append({"type": "http.request", "body": data, "more_body": more})
        self._news.set()

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
    """The app's startup and shutdown, where it has them."""

    def __init__(self, app: AsgiApp, state: dict[str, Any]) -> None:
        self._scope: Message = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}
        self._app = app
        self._asked: asyncio.Queue[str] = asyncio.Queue()
        self._said: asyncio.Queue[Message] = asyncio.Queue()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._run())
        await self._ask("startup")

    async def __aexit__(self, *_: object) -> None:
        await self._ask("shutdown")

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._said.put)
        except Exception:  # noqa: BLE001 - an app that raises here has no lifespan, as the specification has it
            return

    async def _receive(self) -> Message:
        return {"type": f"lifespan.{await self._asked.get()}"}

    async def _ask(self, what: str) -> None:
        self._asked.put_nowait(what)
        answer = asyncio.create_task(self._said.get())
        await asyncio.wait((self._task, answer), return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            return
        said = answer.result()
        if said["type"] == f"lifespan.{what}.failed":
            raise RaceError(f"The app's {what} failed: {said.get('message') or 'it did not say why'}")


def _scope_of(head: str, writer: asyncio.StreamWriter, state: dict[str, Any]) -> tuple[Message, int]:
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
