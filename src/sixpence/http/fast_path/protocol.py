"""uvicorn's HTTP protocol with a fast path to the endpoints below an account's path.

Between a parsed request and its endpoint, and between the response and the socket, ASGI passes messages that cost as
much as deciding and storing the command. A plain request skips them: HTTP/1.1, below an account's path, with a small
body of known length, and no earlier request still unanswered. Every other request takes uvicorn's own path.
"""

import asyncio
import re
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sixpence.http.fast_path.routes import FastRoutes, Match

if TYPE_CHECKING:
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_CHANGE = b"POST /v1/accounts/"
_SIZE = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,6})(?=\r\n|$)", re.IGNORECASE)
# Another version, or a header that changes how the request is sent: not plain.
_NOT_PLAIN_HEAD = re.compile(
    rb"^[^\r]*(?<! HTTP/1\.1)\r\n|\r\n(?:transfer-encoding|connection|expect|upgrade|origin|[ \t])", re.IGNORECASE
)
# Not plain: a body of unknown length, a page of another origin, a handshake before the body.
_NOT_PLAIN_HEADERS = frozenset((b"transfer-encoding", b"origin", b"expect", b"upgrade"))


class Exchange:
    """A request on the fast path, in the place of uvicorn's cycle of request and response."""

    def __init__(self, match: Match | None, *, keep_alive: bool) -> None:
        self.match = match
        self.keep_alive = keep_alive
        self.body = bytearray()
        self.more_body = True
        self.disconnected = False
        self.response_complete = False
        # uvicorn sets this event; nothing waits for it here.
        self.message_event = asyncio.Event()

    async def receive(self) -> dict[str, Any]:
        """The body, complete in one message."""
        return {"type": "http.request", "body": bytes(self.body), "more_body": False}


class FastPathProtocol(HttpToolsProtocol):
    """Answers plain requests on the fast path; `state.fast_routes` of the application lists the routes."""

    _routes: FastRoutes | None = None
    # Whether the last data completed a request or a head, and whether a request has begun to arrive.
    _moved = False
    _arriving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client connects."""
        super().connection_made(transport)
        self._routes = getattr(getattr(self.app, "state", None), "fast_routes", None)

    def data_received(self, data: bytes) -> None:
        """Parse the data, unless it is a change that is refused because the server is full."""
        if self._routes is not None and self._routes.is_full and self._may_begin() and _is_one_change(data):
            self._moved = True
            self._unset_keepalive_if_required()
            refused = Exchange(None, keep_alive=True)
            self.cycle = cast("RequestResponseCycle", refused)
            # Not at once: a refused client retries, and its retry must not be read before accepted requests are served.
            self.loop.call_soon(self._finish, refused, self._routes.overloaded)
        else:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is complete: choose the fast path or uvicorn's."""
        match = self._find_match()
        if match is None:
            super().on_headers_complete()
            return
        self.cycle = cast("RequestResponseCycle", Exchange(match, keep_alive=self.parser.should_keep_alive()))

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._arriving = False
        super().on_message_complete()
        exchange = cast("RequestResponseCycle | Exchange | None", self.cycle)
        if self._routes is None or not isinstance(exchange, Exchange) or exchange.response_complete:
            return
        match = exchange.match
        refusal = None if match is None else self._routes.find_refusal(match)
        if refusal is not None:
            self.loop.call_soon(self._finish, exchange, refusal)
        elif match is not None:
            # Counted here and not when the task starts: one pass of the event loop would admit thousands.
            self._routes.in_flight += match.changes
            task = self.loop.create_task(self._answer(exchange, match, self.scope))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    def _may_begin(self) -> bool:
        """Whether the data begins a request, no earlier one is unanswered, and the client reads its answers."""
        return not self._arriving and self._can_write()

    def _can_write(self) -> bool:
        """Whether an answer may be written as soon as it is made: it is the next one, and the client reads.

        For a client that does not read, uvicorn's own cycle waits until it does.
        """
        before = cast("RequestResponseCycle | None", self.cycle)
        return (before is None or before.response_complete) and not self.flow.write_paused

    def _find_match(self) -> Match | None:
        if self._routes is None or not self._can_write():
            return None
        if b"?" in self.url or b"#" in self.url:
            return None
        if self.parser.get_http_version() != "1.1" or self.limit_concurrency is not None or self.root_path:
            return None
        method = self.parser.get_method().decode("ascii")
        match = self._routes.find(method, self.url)
        if match is None or not self._is_plain():
            return None
        self.scope["method"] = method
        self.scope["path"] = self.url.decode("latin-1")
        self.scope["raw_path"] = self.url
        self.scope["query_string"] = b""
        cast(dict[str, Any], self.scope)["path_params"] = match.ids
        return match

    def _is_plain(self) -> bool:
        for name, value in self.headers:
            if name in _NOT_PLAIN_HEADERS or (name == b"content-length" and int(value) > HIGH_WATER_LIMIT):
                return False
        return True

    async def _answer(self, exchange: Exchange, match: Match, scope: Any) -> None:
        assert self._routes is not None
        try:
            response = await self._routes.answer(match, Request(scope, exchange.receive))
        finally:
            self._routes.in_flight -= match.changes
        self._finish(exchange, response)

    def _finish(self, exchange: Exchange, response: Response) -> None:
        exchange.response_complete = True
        if exchange.disconnected:
            return
        self.transport.write(self._to_bytes(response, keep_alive=exchange.keep_alive))
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _to_bytes(self, response: Response, *, keep_alive: bool) -> bytes:
        """The bytes of the response, in one piece and so in one packet."""
        parts = [STATUS_LINE[response.status_code]]
        for name, value in (*self.server_state.default_headers, *response.raw_headers):
            parts += (name, b": ", value, b"\r\n")
        parts += (b"\r\n" if keep_alive else b"connection: close\r\n\r\n", bytes(response.body))
        return b"".join(parts)


def _is_one_change(data: bytes) -> bool:
    """Whether the data is exactly one plain request that changes an account; False when unsure."""
    if not data.startswith(_CHANGE):
        return False
    head, end, body = data.partition(b"\r\n\r\n")
    sizes = _SIZE.findall(head)
    return bool(end) and len(sizes) == 1 and int(sizes[0]) == len(body) and not _NOT_PLAIN_HEAD.search(head)
