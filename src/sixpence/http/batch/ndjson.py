"""The lines of a body as they arrive: read a little ahead, with a bound on the line, the body and their number.

Not here: what a line holds (`lines`), and when it runs (`runner`).
"""

import asyncio
import re

from starlette.types import Message, Receive

from sixpence.http.wire.errors import BodyTooLargeError

_BLANK = re.compile(rb"[ \t\r\n]*")


class Lines:
    """The lines of a body that are not blank. `read` buffers the body, at most one longest line ahead of `next`."""

    def __init__(self, receive: Receive, *, line_bytes_max: int, bytes_max: int, lines_max: int) -> None:
        self.disconnected = False
        self._receive = receive
        self._line_bytes_max = line_bytes_max
        self._bytes_max = bytes_max
        self._lines_max = lines_max
        self._bytes_read = 0
        self._lines_given = 0
        self._buffer = bytearray()
        # There is no line end before this offset.
        self._search_from = 0
        # The line is too long; its beginning was discarded.
        self._line_too_long = False
        self._ended = False
        self._too_large = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self) -> None:
        """Buffer the body, then wait: returns when the client disconnects."""
        while not self.disconnected:
            while not self._has_room():
                self._room.clear()
                await self._room.wait()
            self._buffer_message(await self._receive())
            self._arrived.set()

    async def next(self) -> bytes | BodyTooLargeError | None:
        """The next line, or an error in its place: the line is too long, or the batch is too large and ends here.

        None after the last line, and after the client has disconnected.
        """
        while not self.disconnected:
            line = self._cut()
            if line is not None:
                self._lines_given += 1
                if self._lines_given <= self._lines_max:
                    return line
                return self._end(f"The batch has more than {self._lines_max} lines.")
            if self._ended:
                return self._end(f"The batch has more than {self._bytes_max} bytes.") if self._too_large else None
            self._arrived.clear()
            await self._arrived.wait()
        return None

    def _has_room(self) -> bool:
        return self._ended or len(self._buffer) <= self._line_bytes_max

    def _buffer_message(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.disconnected = True
        elif not self._ended:
            part = message.get("body", b"")
            room = self._bytes_max - self._bytes_read
            self._bytes_read += len(part)
            self._buffer += part[:room]
            self._too_large = len(part) > room
            self._ended = self._too_large or not message.get("more_body", False)
            if not self._too_large and self._ended:
                # The last line may lack its line end.
                self._buffer += b"\n"

    def _cut(self) -> bytes | BodyTooLargeError | None:
        """The first whole line that has arrived."""
        if not self._search_from and not self._line_too_long:
            blank = _BLANK.match(self._buffer)
            assert blank is not None
            size = blank.end()
            del blank  # it keeps the buffer from being resized
            del self._buffer[:size]
        end = self._buffer.find(b"\n", self._search_from)
        if end < 0:
            if len(self._buffer) > self._line_bytes_max:
                self._line_too_long = True
                self._buffer.clear()
            self._search_from = len(self._buffer)
            line = None
        else:
            too_long = self._line_too_long or end > self._line_bytes_max
            line = self._refusal() if too_long else bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._search_from, self._line_too_long = 0, False
        if self._has_room():
            self._room.set()
        return line

    def _refusal(self) -> BodyTooLargeError:
        return BodyTooLargeError(f"The line has more than {self._line_bytes_max} bytes. Send less.", field="body")

    def _end(self, problem: str) -> BodyTooLargeError:
        """Ignore everything after this line."""
        self._ended, self._too_large = True, False
        self._buffer.clear()
        self._search_from = 0
        self._room.set()
        remedy = "This line and those after it were not run: send them as another batch."
        return BodyTooLargeError(f"{problem} {remedy}", field="body")
