"""uvicorn's HTTP protocol with a bound on what comes before and after a body, which httptools keeps without one.

Not here: the bound on bodies, which is the application's (`sixpence.http.wire.bodies`).
"""

from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from sixpence.http.fast_path.protocol import FastPathProtocol
from sixpence.http.wire import problems

# Twice what nginx takes unless it is told otherwise.
HEAD_BYTES_MAX = 64 * 1024
# What still arrives is thrown away this long: closed at once, the connection is reset before the answer was read.
LINGER_SECONDS = 1.0


class HeadLimitedProtocol(FastPathProtocol):
    """Refuses a request line, headers and trailers that are more than `HEAD_BYTES_MAX` together with a 431."""

    # Of this message: what the parser has handed out of its head and its trailers.
    _head_bytes = 0
    # What arrived since the parser last got anywhere: all of it belongs to one header that has not ended.
    _kept_bytes = 0
    _refused = False

    def data_received(self, data: bytes) -> None:
        """Parse the data; what is too long is refused and what follows it ignored."""
        if self._refused:
            return
        self._moved = False
        super().data_received(data)
        self._kept_bytes = 0 if self._moved else self._kept_bytes + len(data)
        if self._kept_bytes > HEAD_BYTES_MAX:
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._moved = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A part of the request's target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header or a trailer."""
        self._count(len(name) + len(value) + len(": \r\n"))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._moved = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._moved = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._moved = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What uvicorn does when parsing ends in an error; a head that is too long has its own answer."""
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse()
        elif self._is_answering():
            # Somebody waits here for the answer to an earlier request, and this is not it.
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES_MAX:
            raise _HeadTooLongError

    def _refuse(self) -> None:
        self._refused = True
        if self.transport.is_closing():
            return
        if self._is_answering():
            # Somebody waits here for the answer to an earlier request, and this is not it.
            self.transport.close()
            return
        self.transport.write(_ANSWER)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first
        return cycle is not None and not cycle.response_complete


class _HeadTooLongError(Exception):
    """Raised inside the parser, which stops at it."""


def _answer() -> bytes:
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    detail = f"The request line and headers are more than {HEAD_BYTES_MAX} bytes. Send less, such as fewer cookies."
    response = problems.of_status(status, detail, {"Connection": "close"})
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return STATUS_LINE[status] + headers + b"\r\n" + bytes(response.body)


_ANSWER = _answer()
