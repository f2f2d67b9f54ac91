"""A WSGI app (Flask, Django, or a function) behind a real socket, a thread for each request.

As behind any WSGI server the app does not see that a client has hung up: it works on, and its answer goes nowhere.
"""

import asyncio
import io
import socketserver
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from sixpence.testing.races.calls import Place

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Any]


class ThreadedWsgiServer(socketserver.ThreadingMixIn, WSGIServer):
    """A running app: how many requests it is at work on, and what it raised."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, app: WsgiApp) -> None:
        super().__init__(("127.0.0.1", 0), _Quiet)
        self.raised: list[str] = []
        self._counting = threading.Lock()
        self._busy = 0
        self._given = app
        self.set_app(self._watched)

    @property
    def busy(self) -> int:
        """How many requests are at work."""
        return self._busy

    def server_bind(self) -> None:
        """Bind without asking a name server for the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Place]:
        """The app while it is served."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield Place("127.0.0.1", self.server_port)
        finally:
            await asyncio.to_thread(self.shutdown)
            self.server_close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one request, counted from its first byte to its last."""
        self._count(1)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._count(-1)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that have hung up: this is what they are here for."""

    def _count(self, change: int) -> None:
        with self._counting:
            self._busy += change

    def _watched(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        try:
            return self._given(environ, start_response)
        except Exception as error:
            self.raised.append(f"{type(error).__name__}: {error}")
            raise


class _Quiet(WSGIRequestHandler):
    """What wsgiref prints of each request and each failure is not for the terminal of a test."""

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing."""

    def get_stderr(self) -> Any:
        """Where the traceback of a failed request goes."""
        return io.StringIO()
