"""Answers as they come over a connection: framed in every way that HTTP/1.1 knows, and cut off where a client wants."""

import asyncio

import pytest

from sixpence.testing.races.calls import Answer, place_at
from sixpence.testing.races.wire import Line, NoAnswerError
from tests.testing.races.crude import answering, crude_server

REQUEST = b"POST / HTTP/1.1\r\nHost: app.example.com\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "method", "answer"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone", "POST", Answer(200, {"content-length": "4"}, b"done")),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", "POST", Answer(200, {}, b"to the end")),
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n", "POST", Answer(204, {"content-length": "4"}, b"")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HEAD", Answer(200, {"content-length": "4"}, b"")),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\n\r\n!", "POST", Answer(201, {}, b"!")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n4;x=y\r\n two\r\n0\r\n\r\n",
            "POST",
            Answer(200, {"transfer-encoding": "chunked"}, b"one two"),
        ),
        (b"HTTP/1.1 402\r\nX-Why: a\r\n\r\n", "POST", Answer(402, {"x-why": "a"}, b"")),
    ],
    ids=["length", "to the end", "no content", "head", "continue", "chunked", "no phrase"],
)
async def test_an_answer_is_read_whole(data: bytes, method: str, answer: Answer) -> None:
    """Status, headers and body, whatever says where it ends."""
    async with crude_server(answering(data)) as url:
        line = await Line.open(place_at(url), timeout_seconds=5)
        await line.send(REQUEST)
        read = await line.read_answer(method, timeout_seconds=5)
        line.cut()

    assert read == answer


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        b"HTTP/1.1 200 O",
    ],
    ids=["length", "in a chunk", "between chunks", "in the head"],
)
async def test_half_an_answer_is_none(data: bytes) -> None:
    """Where an answer says that more was to come, what is there is not taken for it."""
    async with crude_server(answering(data)) as url:
        line = await Line.open(place_at(url), timeout_seconds=5)
        await line.send(REQUEST)
        with pytest.raises(NoAnswerError) as missing:
            await line.read_answer("POST", timeout_seconds=5)
        line.cut()

    assert missing.value.why == "broken off"


async def test_a_cut_is_seen_by_the_app_at_once() -> None:
    """Whatever was sent before it has arrived, and nothing more comes."""
    arrived: list[bytes] = []
    ended = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.read())
        ended.set()
        writer.close()

    async with crude_server(behave) as url:
        line = await Line.open(place_at(url), timeout_seconds=5)
        await line.send(b"half a req")
        line.cut()
        await asyncio.wait_for(ended.wait(), 5)

    assert arrived == [b"half a req"]
