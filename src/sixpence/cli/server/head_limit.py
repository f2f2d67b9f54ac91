"""uvicorn's HTTP protocol with a limit on the bytes of a request line, headers and trailers. httptools has no limit.

Not here: the limit on bodies, which the application enforces (`sixpence.http.wire.bodies`).
"""

from http import HTTPStatus
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from sixpence.http.fast_path.protocol import FastPathProtocol
from sixpence.http.wire import problems

# Twice nginx's default.
HEAD_BYTES_MAX = 64 * 1024
# Further input is discarded for this long. A connection closed at once is reset before the client reads the answer.
LINGER_SECONDS = 1.0


class HeadLimitedProtocol(FastPathProtocol):
    """Answers 431 when request line, headers and trailers have more than `HEAD_BYTES_MAX` bytes together."""

    # The bytes of this message's head and trailers that the parser has reported.
    _head_bytes = 0
    # The bytes that arrived since the parser's last progress: they all belong to one unfinished header.
    _pending_bytes = 0
    _refused = False

    def data_received(self, data: bytes) -> None:
        """Parse the data; refuse a head that is too long, and ignore what follows it."""
        if self._refused:
            return
        self._has_progressed = False
        super().data_received(data)
        self._pending_bytes = 0 if self._has_progressed else self._pending_bytes + len(data)
        if self._pending_bytes > HEAD_BYTES_MAX:
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._has_progressed = True
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
        """The head is complete."""
        self._has_progressed = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._has_progressed = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._has_progressed = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a parser error as uvicorn does; a head that is too long has its own answer."""
        if self._head_bytes > HEAD_BYTES_MAX:
            self._refuse()
        elif self._is_answering():
            # The client awaits the answer to an earlier request, and would take this one for it.
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
            # The client awaits the answer to an earlier request, and would take this one for it.
            self.transport.close()
            return
        self.transport.write(_ANSWER)
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _is_answering(self) -> bool:
        cycle = cast("RequestResponseCycle | None", self.cycle)  # None before the first
        return cycle is not None and not cycle.response_complete


class _HeadTooLongError(Exception):
    """Raised inside the parser, to stop it."""


def _answer() -> bytes:
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    detail = f"The request line and headers are more than {HEAD_BYTES_MAX} bytes. Send less, such as fewer cookies."
    response = problems.of_status(status, detail, {"Connection": "close"})
    headers = b"".join(name + b": " + value + b"\r\n" for name, value in response.raw_headers)
    return STATUS_LINE[status] + headers + b"\r\n" + bytes(response.body)


_ANSWER = _answer()
