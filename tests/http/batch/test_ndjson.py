"""Splitting a body into lines: in any pieces, with limits on lines, bytes and count, and a bounded buffer."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from sixpence.http.batch.ndjson import Lines

LINE_MAX = 8
BODIES = st.lists(st.sampled_from([b"\n", b" ", b"\r\n", b"{}", b"12345678", b"123456789", b"x" * 20])).map(b"".join)


class Client:
    """Sends these parts of a body, then waits or disconnects."""

    def __init__(self, parts: Sequence[bytes], *, disconnects: bool = False) -> None:
        self._messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        last: Message = {"type": "http.request", "body": b"", "more_body": False}
        self._messages.append({"type": "http.disconnect"} if disconnects else last)
        self.messages_read = 0

    async def receive(self) -> Message:
        """The next message; after the last one, none ever comes."""
        if self.messages_read == len(self._messages):
            await asyncio.Event().wait()
        self.messages_read += 1
        return self._messages[self.messages_read - 1]


async def read_lines(client: Client, *, bytes_max: int = 1_000, lines_max: int = 100) -> list[bytes | str]:
    """All lines; an error as its detail."""
    lines = Lines(client.receive, line_bytes_max=LINE_MAX, bytes_max=bytes_max, lines_max=lines_max)
    reading = asyncio.create_task(lines.read())
    found: list[bytes | str] = []
    while (line := await lines.next()) is not None:
        found.append(line if isinstance(line, bytes) else line.detail)
    reading.cancel()
    return found


TOO_LONG = "The line has more than 8 bytes. Send less."
BEYOND = "This line and those after it were not run: send them as another batch."


def expected_lines(body: bytes) -> list[bytes | str]:
    """The lines of a body that arrives in one piece."""
    whole = [line.lstrip(b" \t\r\n") for line in body.split(b"\n")]
    return [line if len(line) <= LINE_MAX else TOO_LONG for line in whole if line]


@given(BODIES, st.lists(st.integers(0, 60)))
async def test_lines_do_not_depend_on_the_pieces(body: bytes, cuts: list[int]) -> None:
    """Blank lines are ignored, the last line may lack its line end, and a long line is an error in its place."""
    ends = [0, *sorted(cuts), len(body)]
    parts = [body[start:end] for start, end in itertools.pairwise(ends)]

    found = await read_lines(Client(parts))

    assert found == expected_lines(body)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_more_lines_than_allowed(size: int) -> None:
    """The first line over the limit is an error, and the last; blank lines do not count."""
    body = b"a\n\n b\nc\n\nd\ne\n"

    found = await read_lines(Client([body[at : at + size] for at in range(0, len(body), size)]), lines_max=3)

    assert found == [b"a", b"b", b"c", f"The batch has more than 3 lines. {BEYOND}"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_as_many_lines_as_allowed(size: int) -> None:
    """The last allowed line is read like the others, also when blank lines follow it."""
    body = b"a\nb\nc\n\n  \n"

    found = await read_lines(Client([body[at : at + size] for at in range(0, len(body), size)]), lines_max=3)

    assert found == [b"a", b"b", b"c"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(("bytes_max", "before"), [(5, [b"ab", b"c"]), (6, [b"ab", b"c"]), (7, [b"ab", b"c"])])
async def test_more_bytes_than_allowed(size: int, bytes_max: int, before: list[bytes]) -> None:
    """The line that passes the limit is an error, and the last, in whatever pieces the body arrives."""
    body = b"ab\nc\nde\nf\n"

    client = Client([body[at : at + size] for at in range(0, len(body), size)])
    found = await read_lines(client, bytes_max=bytes_max)

    assert found == [*before, f"The batch has more than {bytes_max} bytes. {BEYOND}"]


async def test_as_many_bytes_as_allowed() -> None:
    """A body of exactly the limit is read completely."""
    assert await read_lines(Client([b"ab\nc\nde"]), bytes_max=7) == [b"ab", b"c", b"de"]


async def test_incomplete_last_line_is_dropped_on_disconnect() -> None:
    """When the client disconnects in the middle of a line, that line is not returned."""
    assert b"cd" not in await read_lines(Client([b"ab\n", b"cd"], disconnects=True))


async def test_reading_stops_while_the_buffer_is_full() -> None:
    """Reading stops one longest line ahead of `next`, and resumes when `next` is called."""
    client = Client([b"abc\n"] * 20)
    lines = Lines(client.receive, line_bytes_max=LINE_MAX, bytes_max=1_000, lines_max=100)
    reading = asyncio.create_task(lines.read())

    await asyncio.sleep(0.01)
    at_first = client.messages_read
    for _ in range(3):
        await lines.next()
    await asyncio.sleep(0.01)
    later = client.messages_read
    reading.cancel()

    assert (at_first, later) == (3, 6)


async def test_disconnect_drops_buffered_lines() -> None:
    """After a disconnect, `next` returns no buffered line, also when the whole body was read."""
    lines = Lines(
        Client([b"a\nb\n"], disconnects=True).receive, line_bytes_max=LINE_MAX, bytes_max=1_000, lines_max=100
    )

    await lines.read()

    assert (lines.disconnected, await lines.next()) == (True, None)
