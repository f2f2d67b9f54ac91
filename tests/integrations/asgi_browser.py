"""A browser at the level of ASGI messages: it records what an app sends, and can disconnect meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from sixpence.http.wire.error_handlers import Handlers
from sixpence.integrations.starlette import CreditIntegration
from tests.http.installation import SITE

Work = Callable[[Request], Awaitable[Response]]


class AsgiBrowser:
    """Ada's browser. It calls `probe` before each message that reaches it, and stores the results in `probed`."""

    def __init__(self, integration: CreditIntegration, ada: httpx.AsyncClient) -> None:
        cookie = "; ".join(f"{name}={value}" for name, value in ada.cookies.items())
        self.headers = [(b"cookie", cookie.encode()), (b"origin", SITE.encode())]
        self.disconnected = asyncio.Event()
        self.sent: list[Message] = []
        self.probe: Callable[[], Any] = lambda: None
        self.probed: list[Any] = []
        self._integration = integration

    def request(self, *more: tuple[bytes, bytes]) -> Request:
        """A request without a body."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "method": "POST",
            "path": "/",
            "root_path": "",
            "query_string": b"",
            "headers": [*self.headers, *more],
        }
        return Request(scope, self._receiver(), self._send)

    async def status_of(
        self, work: Work, *more: tuple[bytes, bytes], inner: Sequence[Middleware] = (), handlers: Handlers | None = None
    ) -> int:
        """The status of the response of an app with this one endpoint, which ends early if the browser disconnects."""
        app = Starlette(
            routes=[Route("/", work, methods=["POST"])],
            middleware=[*self._integration.middleware, *inner],
            exception_handlers={**self._integration.exception_handlers, **(handlers or {})},
        )
        statuses = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await self._send(message)

        await app(self.request(*more).scope, self._receiver(), send)
        return int(*statuses)

    @property
    def body(self) -> bytes:
        """The received part of the body."""
        return b"".join(message.get("body", b"") for message in self.sent)

    def _receiver(self) -> Callable[[], Awaitable[Message]]:
        unread: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> Message:
            if unread:
                return unread.pop()
            await self.disconnected.wait()
            return {"type": "http.disconnect"}

        return receive

    async def _send(self, message: Message) -> None:
        self.probed.append(self.probe())
        self.sent.append(message)
