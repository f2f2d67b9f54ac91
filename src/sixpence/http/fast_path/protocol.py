"""uvicorn's HTTP protocol with a direct way to the endpoints that an app asks for with every generation.

Between a parsed request and such an endpoint, and between its response and the socket, ASGI passes messages that cost
as much as all that is decided and stored. A plain request goes without: HTTP/1.1, below an account's path, its body
small and of a known length, nothing before it still unanswered. Every other one goes as uvicorn sends it.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sixpence.http.fast_path.routes import Way, Ways

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_CHANGE = b"POST /v1/accounts/"
_SIZE = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,6})(?=\r\n|$)", re.IGNORECASE)
# What makes a request more than that: another version, or a header that says how it is sent.
_MORE = re.compile(
    rb"^[^\r]*(?<! HTTP/1\.1)\r\n|\r\n(?:transfer-encoding|connection|expect|upgrade|origin|[ \t])", re.IGNORECASE
)
# A request with one of these is more than plain: a body of unknown length, a page of another origin, a question first.
_NOT_PLAIN = frozenset((b"transfer-encoding", b"origin", b"expect", b"upgrade"))


class Exchange:
    """A request on its direct way, in the place where uvicorn has its own cycle of request and response."""

    def __init__(self, way: Way | None, *, keep_alive: bool) -> None:
        self.way = way
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        # uvicorn wakes whoever waits for the next message; here nobody does.
        self.message_event = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """The body, which is whole before anybody asks."""
        return {"type": "http.request", "body": bytes(self.body), "more_body": False}


class DirectProtocol(HttpToolsProtocol):
    """Answers plain requests directly; the application says in `state.ways` which these are."""

    _ways: Ways | None = None
    # Whether what arrived last brought anything to its end, and whether a request has begun to arrive.
    _moved = False
    _arriving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is here."""
        super().connection_made(transport)
        self._ways = getattr(getattr(self.app, "state", None), "ways", None)

    def data_received(self, data: bytes) -> None:
        """Parse the data, unless it is a change that is refused anyway."""
        if self._ways is not None and self._ways.is_full and self._may_begin() and _is_a_change(data):
            self._moved = True
            self._unset_keepalive_if_required()
            refused = Exchange(None, keep_alive=True)
            self.cycle = cast("RequestResponseCycle", refused)
            # Not at once: whoever is refused asks again, and reading that would go before what was accepted.
            self.loop.call_soon(self._finish, refused, self._ways.overloaded)
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole: the request goes one way or the other."""
        way = self._find_way()
        if way is None:
            super().on_headers_complete()
            return
        self.cycle = cast("RequestResponseCycle", Exchange(way, keep_alive=self.parser.should_keep_alive()))

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._arriving = False
        super().on_message_complete()
        exchange = cast("RequestResponseCycle | Exchange | None", self.cycle)
        if self._ways is None or not isinstance(exchange, Exchange) or exchange.response_complete:
            return
        way = exchange.way
        refusal = None if way is None else self._ways.refuse(way)
        if refusal is not None:
            self.loop.call_soon(self._finish, exchange, refusal)
        elif way is not None:
            # From here on and not when the task begins: one pass of the loop would let thousands through.
            self._ways.under_way += way.changes
            task = self.loop.create_task(self._answer(exchange, way, self.scope))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    def _may_begin(self) -> bool:
        """Whether what arrives now begins a request, nothing before it is unanswered, and the answers are read."""
        return not self._arriving and self._is_direct()

    def _is_direct(self) -> bool:
        """Whether an answer may be written as soon as it is made: its turn has come, and there is room for it.

        Of a client that reads no answers uvicorn's own cycle waits until it does.
        """
        before = cast("RequestResponseCycle | None", self.cycle)
        return (before is None or before.response_complete) and not self.flow.write_paused

    def _find_way(self) -> Way | None:
        if self._ways is None or not self._is_direct():
            return None
        if b"?" in self.url or b"#" in self.url:
            return None
        if self.parser.get_http_version() != "1.1" or self.limit_concurrency is not None or self.root_path:
            return None
        method = self.parser.get_method().decode("ascii")
        way = self._ways.find(method, self.url)
        if way is None or not self._is_plain():
            return None
        self.scope["method"] = method
        self.scope["path"] = self.url.decode("latin-1")
        self.scope["raw_path"] = self.url
        self.scope["query_string"] = b""
        cast(dict[str, Any], self.scope)["path_params"] = way.ids
        return way

    def _is_plain(self) -> bool:
        for name, value in self.headers:
            if name in _NOT_PLAIN or (name == b"content-length" and int(value) > HIGH_WATER_LIMIT):
                return False
        return True

    async def _answer(self, exchange: Exchange, way: Way, scope: Any) -> None:
        assert self._ways is not None
        try:
            response = await self._ways.answer(way, Request(scope, exchange.receive))
        finally:
            self._ways.under_way -= way.changes
        self._finish(exchange, response)

    def _finish(self, exchange: Exchange, response: Response) -> None:
        exchange.response_complete = True
        if exchange.disconnected:
            return
        self.transport.write(self._written(response, keep_alive=exchange.keep_alive))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _written(self, response: Response, *, keep_alive: bool) -> bytes:
        """The response as it goes over the wire: in one piece, so in one packet."""
        parts = [STATUS_LINE[response.status_code]]
        for name, value in (*self.server_state.default_headers, *response.raw_headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n" if keep_alive else b"connection: close\r\n\r\n", bytes(response.body))
        return b"".join(parts)


def _is_a_change(data: bytes) -> bool:
    """Whether this is one whole plain request to change an account, and nothing more or less; in doubt it is none."""
    if not data.startswith(_CHANGE):
        return False
    head, end, body = data.partition(b"\r\n\r\n")
    sizes = _SIZE.findall(head)
    return bool(end) and len(sizes) == 1 and int(sizes[0]) == len(body) and not _MORE.search(head)
