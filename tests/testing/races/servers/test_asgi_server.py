"""The ASGI server of a race: requests, responses, and disconnected clients."""

import asyncio
from typing import Any

import httpx
import pytest

from sixpence.testing.races import RaceError
from sixpence.testing.races.client.address import Address
from sixpence.testing.races.client.connection import Connection
from sixpence.testing.races.servers.asgi_server import AsgiApp, AsgiServer

pytestmark = pytest.mark.slow

POST = b"POST /a%20b?x=1 HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 4\r\n\r\n"
OK: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


async def test_asgi_request_and_response() -> None:
    """The scope has method, path, query and headers, the body follows, and any client can read the answer."""
    given: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        given.update(scope, body=await receive())
        await send({"type": "http.response.start", "status": 201, "headers": [(b"X-Made", b"here")]})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    async with AsgiServer(app).listen() as address, httpx.AsyncClient(base_url=str(address)) as client:
        answer = await client.post("/a%20b?x=1", content=b"body", headers={"X-User": "ada"})

    assert (answer.status_code, answer.headers["x-made"], answer.text) == (201, "here", "one two")
    assert [given[name] for name in ("method", "path", "raw_path", "query_string")] == [
        "POST",
        "/a b",
        b"/a%20b",
        b"x=1",
    ]
    assert (b"x-user", b"ada") in given["headers"]
    assert given["body"] == {"type": "http.request", "body": b"body", "more_body": False}


async def test_asgi_exception_is_500_and_recorded() -> None:
    """As behind any server; the report lists the exception."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("x-user")

    server = AsgiServer(app)
    async with server.listen() as address:
        answer = await send_request(address, POST + b"body")

    assert answer == (500, b"Internal Server Error")
    assert server.raised == ["KeyError: 'x-user'"]


async def test_asgi_exception_during_body_breaks_off_answer() -> None:
    """An exception in the middle of an answer ends the connection, so that the client notices."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await send(OK)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise OSError("the model is away")

    async with AsgiServer(app).listen() as address, httpx.AsyncClient(base_url=str(address)) as client:
        with pytest.raises(httpx.TransportError):
            await client.post("/")


@pytest.mark.parametrize("sent", [POST + b"bo", POST + b"body"], ids=["in the middle", "after the request"])
async def test_asgi_hang_up_is_disconnect(sent: bytes) -> None:
    """The app gets a message and is not cancelled; its later answer is dropped, its later exception not recorded."""
    messages: list[Any] = []
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        while not messages or messages[-1]["type"] != "http.disconnect":
            messages.append(await receive())
        await send(OK)
        await send({"type": "http.response.body", "body": b"dropped"})
        ended.set()
        raise OSError("the client has gone")

    server = AsgiServer(app)
    async with server.listen() as address:
        connection = await Connection.open(address, timeout_seconds=5)
        await connection.send(sent)
        await asyncio.sleep(0.05)
        connection.abort()
        await asyncio.wait_for(ended.wait(), 5)

    assert b"".join(message.get("body", b"") for message in messages) == sent.removeprefix(POST)
    assert server.raised == []


async def test_asgi_busy_counts_running_requests() -> None:
    """Also those of disconnected clients, since a race waits for them."""
    resume = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await resume.wait()

    server = AsgiServer(app)
    async with server.listen() as address:
        connections = [await Connection.open(address, timeout_seconds=5) for _ in range(3)]
        for connection in connections:
            await connection.send(POST + b"body")
            connection.abort()
        busy = await wait_for_busy(server, 3)
        resume.set()
        idle = await wait_for_busy(server, 0)

    assert (busy, idle) == (3, 0)


async def test_asgi_lifespan_runs_once() -> None:
    """The state of the lifespan is in every request."""
    events: list[str] = []

    async with AsgiServer(app_with_lifespan(events)).listen() as address:
        answer = await send_request(address, POST + b"body")

    assert answer == (200, b"credits")
    assert events == ["lifespan.startup", "lifespan.shutdown"]


async def test_asgi_failed_startup_is_race_error() -> None:
    """The message of the app is in the error."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RaceError, match="startup failed: no database"):
        async with AsgiServer(app).listen():
            pass


def app_with_lifespan(events: list[str]) -> AsgiApp:
    """An app with a lifespan, which records its events and answers with its state."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                events.append((await receive())["type"])
                scope["state"]["kept"] = b"credits"
                await send({"type": f"lifespan.{what}.complete"})
            return
        await send(OK)
        await send({"type": "http.response.body", "body": scope["state"]["kept"]})

    return app


async def send_request(address: Address, request: bytes) -> tuple[int, bytes]:
    """The status and the body of the answer to a request."""
    connection = await Connection.open(address, timeout_seconds=5)
    await connection.send(request)
    answer = await connection.read_answer("POST", timeout_seconds=5)
    connection.abort()
    return answer.status, answer.body


async def wait_for_busy(server: AsgiServer, wanted: int) -> int:
    """The number of running requests, once it is the wanted one or a while has passed."""
    for _ in range(100):
        if server.busy == wanted:
            break
        await asyncio.sleep(0.02)
    return server.busy
