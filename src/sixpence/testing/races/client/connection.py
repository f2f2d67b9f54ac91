"""A connection for one request, which can be cut at any byte.

Client libraries hide what a race needs: holding back the last byte of a request, leaving an answer unread, ending a
connection in the middle. Not here: which calls are cut, and where (`client.attempts`, `running.waves`).
"""

import asyncio
from typing import Self

from sixpence.testing.races.client.address import Address
from sixpence.testing.races.client.calls import Answer

_HEAD_END = b"\r\n\r\n"
_BODYLESS = {204, 304}


class NoAnswerError(Exception):
    """There was no complete answer; `reason` is one of "unreachable", "slow", "broken off" and "garbage"."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class Connection:
    """A connection for one request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: Address, *, timeout_seconds: float) -> Self:
        """Connect; raises `NoAnswerError`."""
        try:
            async with asyncio.timeout(timeout_seconds):
                reader, writer = await asyncio.open_connection(address.host, address.port, ssl=address.tls or None)
        except TimeoutError:
            raise NoAnswerError("unreachable", f"{address} did not accept the connection in time") from None
        except OSError as error:
            raise NoAnswerError("unreachable", f"{address}: {error.strerror or error}") from error
        return cls(reader, writer)

    async def send(self, part: bytes) -> None:
        """Send these bytes. If the app has hung up, the next read reports it."""
        try:
            self._writer.write(part)
            await self._writer.drain()
        except OSError:
            return

    async def read_answer(self, method: str, *, timeout_seconds: float) -> Answer:
        """Read one complete answer; raises `NoAnswerError`."""
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._read_answer(method)
        except TimeoutError:
            raise NoAnswerError("slow", f"no answer within {timeout_seconds:g} s") from None
        except asyncio.IncompleteReadError as error:
            raise NoAnswerError("broken off", f"the app hung up after {_shown(error.partial)}") from None
        except OSError as error:
            raise NoAnswerError("broken off", f"the app hung up: {error.strerror or error}") from error
        except asyncio.LimitOverrunError:
            raise NoAnswerError("garbage", "an endless head of an answer") from None

    async def wait_for_answer(self, *, timeout_seconds: float) -> None:
        """Return when the first byte of an answer has arrived, or when none will."""
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._reader.read(1)
        except (TimeoutError, OSError):
            return

    def abort(self) -> None:
        """Hang up at once; unsent and unread bytes are dropped."""
        self._writer.transport.abort()

    async def _read_answer(self, method: str) -> Answer:
        status, headers = await self._read_head()
        while 100 <= status < 200:
            status, headers = await self._read_head()
        if method == "HEAD" or status in _BODYLESS:
            return Answer(status, headers, b"")
        return Answer(status, headers, await self._read_body(headers))

    async def _read_head(self) -> tuple[int, dict[str, str]]:
        try:
            head = await self._reader.readuntil(_HEAD_END)
        except asyncio.IncompleteReadError as error:
            if not error.partial or error.partial.startswith(b"HTTP/1."):
                raise
            head = error.partial
        first, *lines = head.removesuffix(_HEAD_END).decode("latin-1").split("\r\n")
        version, _, rest = first.partition(" ")
        if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
            raise NoAnswerError("garbage", f"an answer that begins with {_shown(head)}")
        parted = (line.partition(":") for line in lines)
        return int(rest[:3]), {name.strip().lower(): value.strip() for name, _, value in parted}

    async def _read_body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return await self._read_chunks()
        length = headers.get("content-length")
        if length is None:
            return await self._reader.read()
        if not length.isdecimal():
            raise NoAnswerError("garbage", f"an answer with the length {length!r}")
        return await self._reader.readexactly(int(length))

    async def _read_chunks(self) -> bytes:
        parts: list[bytes] = []
        while True:
            line = await self._reader.readuntil(b"\r\n")
            try:
                size = int(line.split(b";")[0], 16)
            except ValueError:
                raise NoAnswerError("garbage", f"a chunk that begins with {_shown(line)}") from None
            part = await self._reader.readexactly(size + 2)
            if size == 0:
                return b"".join(parts)
            parts.append(part[:-2])


def _shown(data: bytes) -> str:
    return "nothing" if not data else ascii(data[:40].decode("latin-1"))
