"""Answers on a connection: every framing of HTTP/1.1, and connections that are cut."""

import asyncio

import pytest

from sixpence.testing.races.client.address import address_from_url
from sixpence.testing.races.client.calls import Answer
from sixpence.testing.races.client.connection import Connection, NoAnswerError
from tests.testing.races.misbehaving_apps import answer_with, raw_server

pytestmark = pytest.mark.slow

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
async def test_read_answer(data: bytes, method: str, answer: Answer) -> None:
    """Status, headers and body, for every way to mark the end of a body."""
    async with raw_server(answer_with(data)) as url:
        connection = await Connection.open(address_from_url(url), timeout_seconds=5)
        await connection.send(REQUEST)
        read = await connection.read_answer(method, timeout_seconds=5)
        connection.abort()

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
async def test_read_answer_refuses_incomplete_answer(data: bytes) -> None:
    """A truncated answer is not taken for a complete one."""
    async with raw_server(answer_with(data)) as url:
        connection = await Connection.open(address_from_url(url), timeout_seconds=5)
        await connection.send(REQUEST)
        with pytest.raises(NoAnswerError) as error:
            await connection.read_answer("POST", timeout_seconds=5)
        connection.abort()

    assert error.value.reason == "broken off"


async def test_abort_ends_connection_at_once() -> None:
    """The app gets the bytes sent before, and then the end."""
    arrived: list[bytes] = []
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await reader.read())
        ended.set()
        writer.close()

    async with raw_server(handle) as url:
        connection = await Connection.open(address_from_url(url), timeout_seconds=5)
        await connection.send(b"half a req")
        connection.abort()
        await asyncio.wait_for(ended.wait(), 5)

    assert arrived == [b"half a req"]
