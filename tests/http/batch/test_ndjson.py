"""Lines of a body: told apart however it is cut, each bounded, and no more than may be or there is room for."""

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
    """Sends these parts of a body, and then waits or goes away."""

    def __init__(self, parts: Sequence[bytes], *, leaves: bool = False) -> None:
        self._messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
        last: Message = {"type": "http.request", "body": b"", "more_body": False}
        self._messages.append({"type": "http.disconnect"} if leaves else last)
        self.taken = 0

    async def receive(self) -> Message:
        """The next message; after the last one, none ever comes."""
        if self.taken == len(self._messages):
            await asyncio.Event().wait()
        self.taken += 1
        return self._messages[self.taken - 1]


async def lines_of(client: Client, *, bytes_max: int = 1_000, lines_max: int = 100) -> list[bytes | str]:
    """All lines, an error as what it says."""
    lines = Lines(client.receive, line_bytes_max=LINE_MAX, bytes_max=bytes_max, lines_max=lines_max)
    reading = asyncio.create_task(lines.read())
    found: list[bytes | str] = []
    while (line := await lines.next()) is not None:
        found.append(line if isinstance(line, bytes) else line.detail)
    reading.cancel()
    return found


TOO_LONG = "The line has more than 8 bytes. Send less."
BEYOND = "This line and those after it were not run: send them as another batch."


def as_they_should_be(body: bytes) -> list[bytes | str]:
    """The same, of a body that is all there."""
    whole = [line.lstrip(b" \t\r\n") for line in body.split(b"\n")]
    return [line if len(line) <= LINE_MAX else TOO_LONG for line in whole if line]


@given(BODIES, st.lists(st.integers(0, 60)))
async def test_however_a_body_is_cut(body: bytes, cuts: list[int]) -> None:
    """Blank lines are nothing, the last may end with the body, and a long one is an error in its place."""
    ends = [0, *sorted(cuts), len(body)]
    parts = [body[start:end] for start, end in itertools.pairwise(ends)]

    found = await lines_of(Client(parts))

    assert found == as_they_should_be(body)


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_more_lines_than_may_be(size: int) -> None:
    """The first line beyond is told so, and is the last; blank ones do not count."""
    body = b"a\n\n b\nc\n\nd\ne\n"

    found = await lines_of(Client([body[at : at + size] for at in range(0, len(body), size)]), lines_max=3)

    assert found == [b"a", b"b", b"c", f"The batch has more than 3 lines. {BEYOND}"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
async def test_as_many_lines_as_may_be(size: int) -> None:
    """The last line that may be is one like the others, though blank ones follow it."""
    body = b"a\nb\nc\n\n  \n"

    found = await lines_of(Client([body[at : at + size] for at in range(0, len(body), size)]), lines_max=3)

    assert found == [b"a", b"b", b"c"]


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(("bytes_max", "before"), [(5, [b"ab", b"c"]), (6, [b"ab", b"c"]), (7, [b"ab", b"c"])])
async def test_more_bytes_than_may_be(size: int, bytes_max: int, before: list[bytes]) -> None:
    """The line in which the limit is passed is told so, and is the last, however the body is cut."""
    body = b"ab\nc\nde\nf\n"

    client = Client([body[at : at + size] for at in range(0, len(body), size)])
    found = await lines_of(client, bytes_max=bytes_max)

    assert found == [*before, f"The batch has more than {bytes_max} bytes. {BEYOND}"]


async def test_as_many_bytes_as_may_be() -> None:
    """A body of just the limit is whole."""
    assert await lines_of(Client([b"ab\nc\nde"]), bytes_max=7) == [b"ab", b"c", b"de"]


async def test_what_was_cut_off_is_no_line() -> None:
    """Where the client goes away in the middle of a line there is nobody to do anything for."""
    assert b"cd" not in await lines_of(Client([b"ab\n", b"cd"], leaves=True))


async def test_no_more_is_read_than_there_is_room_for() -> None:
    """While nobody takes lines, reading stops a line's length ahead, and goes on as they are taken."""
    client = Client([b"abc\n"] * 20)
    lines = Lines(client.receive, line_bytes_max=LINE_MAX, bytes_max=1_000, lines_max=100)
    reading = asyncio.create_task(lines.read())

    await asyncio.sleep(0.01)
    at_first = client.taken
    for _ in range(3):
        await lines.next()
    await asyncio.sleep(0.01)
    later = client.taken
    reading.cancel()

    assert (at_first, later) == (3, 6)


async def test_a_client_that_goes_away_is_noticed_while_lines_wait() -> None:
    """Where the whole body has been read, what waits of it is not given out any more."""
    lines = Lines(Client([b"a\nb\n"], leaves=True).receive, line_bytes_max=LINE_MAX, bytes_max=1_000, lines_max=100)

    await lines.read()

    assert (lines.gone, await lines.next()) == (True, None)
