"""A server for a WSGI app (Flask, Django, or a function) on a real socket, with a thread for each request.

As with any WSGI server, the app does not notice that a client has hung up: it finishes, and its answer is dropped.
"""

import asyncio
import io
import socketserver
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from sixpence.testing.races.client.address import Address

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Any]


class ThreadedWsgiServer(socketserver.ThreadingMixIn, WSGIServer):
    """Serves an app, and records its running requests and the exceptions that it raised."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, app: WsgiApp) -> None:
        super().__init__(("127.0.0.1", 0), _SilentHandler)
        self.raised: list[str] = []
        self._count_lock = threading.Lock()
        self._busy = 0
        self._served_app = app
        self.set_app(self._call_app)

    @property
    def busy(self) -> int:
        """The number of running requests."""
        return self._busy

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[Address]:
        """Serve the app inside the context."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield Address("127.0.0.1", self.server_port)
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
        """Print nothing: in a race clients hang up on purpose."""

    def _count(self, change: int) -> None:
        with self._count_lock:
            self._busy += change

    def _call_app(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        try:
            return self._served_app(environ, start_response)
        except Exception as error:
            self.raised.append(f"{type(error).__name__}: {error}")
            raise


class _SilentHandler(WSGIRequestHandler):
    """Drops wsgiref's messages, which do not belong on the terminal of a test."""

    def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 - the base class names it so
        """Print nothing."""

    def get_stderr(self) -> Any:
        """A buffer that drops the traceback of a failed request."""
        return io.StringIO()
