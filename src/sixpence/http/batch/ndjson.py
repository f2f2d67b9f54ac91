"""The lines of a body as they arrive: read a little ahead, each of a bounded length, and only as many as may be sent.

Not here: what a line says (`batch_lines`), and what becomes of it (`batch_run`).
"""

import asyncio
import re

from starlette.types import Message, Receive

from sixpence.http.wire.errors import BodyTooLargeError

_BLANK = re.compile(rb"[ \t\r\n]*")


class Lines:
    """The lines of a body that are not blank. `read` takes the body in, at most a long line ahead of `next`."""

    def __init__(self, receive: Receive, *, line_bytes_max: int, bytes_max: int, lines_max: int) -> None:
        self.gone = False
        self._receive = receive
        self._line_bytes_max = line_bytes_max
        self._bytes_max = bytes_max
        self._lines_max = lines_max
        self._taken_in = 0
        self._given = 0
        self._buffer = bytearray()
        # No line ends before here.
        self._searched = 0
        # The beginning of this line was thrown away, since it is too long.
        self._long = False
        self._ended = False
        self._beyond = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def read(self) -> None:
        """Take in the body, and then watch: ends when the client has gone away."""
        while not self.gone:
            while not self._has_room():
                self._room.clear()
                await self._room.wait()
            self._take_in(await self._receive())
            self._arrived.set()

    async def next(self) -> bytes | BodyTooLargeError | None:
        """The next line, or why it is none: it is too long, or beyond what may be sent, and then the last.

        None after the last one, and when nobody is left who waits for answers.
        """
        while not self.gone:
            line = self._cut()
            if line is not None:
                self._given += 1
                if self._given <= self._lines_max:
                    return line
                return self._end(f"The batch has more than {self._lines_max} lines.")
            if self._ended:
                return self._end(f"The batch has more than {self._bytes_max} bytes.") if self._beyond else None
            self._arrived.clear()
            await self._arrived.wait()
        return None

    def _has_room(self) -> bool:
        return self._ended or len(self._buffer) <= self._line_bytes_max

    def _take_in(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            self.gone = True
        elif not self._ended:
            part = message.get("body", b"")
            room = self._bytes_max - self._taken_in
            self._taken_in += len(part)
            self._buffer += part[:room]
            self._beyond = len(part) > room
            self._ended = self._beyond or not message.get("more_body", False)
            if not self._beyond and self._ended:
                # The last line may do without.
                self._buffer += b"\n"

    def _cut(self) -> bytes | BodyTooLargeError | None:
        """The first whole line that has arrived."""
        if not self._searched and not self._long:
            blank = _BLANK.match(self._buffer)
            assert blank is not None
            size = blank.end()
            del blank  # which holds on to the buffer
            del self._buffer[:size]
        end = self._buffer.find(b"\n", self._searched)
        if end < 0:
            if len(self._buffer) > self._line_bytes_max:
                self._long = True
                self._buffer.clear()
            self._searched = len(self._buffer)
            line = None
        else:
            too_long = self._long or end > self._line_bytes_max
            line = self._refusal() if too_long else bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched, self._long = 0, False
        if self._has_room():
            self._room.set()
        return line

    def _refusal(self) -> BodyTooLargeError:
        return BodyTooLargeError(f"The line has more than {self._line_bytes_max} bytes. Send less.", field="body")

    def _end(self, problem: str) -> BodyTooLargeError:
        """Nothing after this line is looked at, whatever may still arrive."""
        self._ended, self._beyond = True, False
        self._buffer.clear()
        self._searched = 0
        self._room.set()
        remedy = "This line and what follows it was not done: send it as another batch."
        return BodyTooLargeError(f"{problem} {remedy}", field="body")
