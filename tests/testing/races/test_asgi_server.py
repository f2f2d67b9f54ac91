"""An ASGI app as the kit serves it: what the app is given, what leaves, and what it is told of clients that go away."""

import asyncio
from typing import Any

import httpx
import pytest

from sixpence.testing.races import RaceError
from sixpence.testing.races.asgi_server import AsgiApp, AsgiServer
from sixpence.testing.races.calls import Place
from sixpence.testing.races.wire import Line

POST = b"POST /a%20b?x=1 HTTP/1.1\r\nHost: app.example.com\r\nContent-Length: 4\r\n\r\n"
OK: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}


async def test_an_app_is_given_the_request_and_answers() -> None:
    """The scope says method, path, query and headers, the body comes after it, and any client can read the answer."""
    given: dict[str, Any] = {}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        given.update(scope, body=await receive())
        await send({"type": "http.response.start", "status": 201, "headers": [(b"X-Made", b"here")]})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    async with AsgiServer(app).listening() as place, httpx.AsyncClient(base_url=str(place)) as client:
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


async def test_what_an_app_raises_is_a_500_and_remembered() -> None:
    """As behind any server; the race tells it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("x-user")

    server = AsgiServer(app)
    async with server.listening() as place:
        answer = await asked(place, POST + b"body")

    assert answer == (500, b"Internal Server Error")
    assert server.raised == ["KeyError: 'x-user'"]


async def test_an_answer_that_breaks_off_is_not_made_whole() -> None:
    """An app that raises in the middle of its answer hangs up, so that a client can tell."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await send(OK)
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise OSError("the model is away")

    async with AsgiServer(app).listening() as place, httpx.AsyncClient(base_url=str(place)) as client:
        with pytest.raises(httpx.TransportError):
            await client.post("/")


@pytest.mark.parametrize("sent", [POST + b"bo", POST + b"body"], ids=["in the middle", "after the request"])
async def test_a_client_that_hangs_up_is_a_disconnect(sent: bytes) -> None:
    """The app is told, and not cancelled: what it sends then goes nowhere, and what it raises is not told."""
    messages: list[Any] = []
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        while not messages or messages[-1]["type"] != "http.disconnect":
            messages.append(await receive())
        await send(OK)
        await send({"type": "http.response.body", "body": b"for nobody"})
        ended.set()
        raise OSError("the client has gone")

    server = AsgiServer(app)
    async with server.listening() as place:
        line = await Line.open(place, timeout_seconds=5)
        await line.send(sent)
        await asyncio.sleep(0.05)
        line.cut()
        await asyncio.wait_for(ended.wait(), 5)

    assert b"".join(message.get("body", b"") for message in messages) == sent.removeprefix(POST)
    assert server.raised == []


async def test_requests_at_work_are_counted() -> None:
    """Also those whose clients have gone: a race waits for them."""
    go_on = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await go_on.wait()

    server = AsgiServer(app)
    async with server.listening() as place:
        lines = [await Line.open(place, timeout_seconds=5) for _ in range(3)]
        for line in lines:
            await line.send(POST + b"body")
            line.cut()
        busy = await counted(server, 3)
        go_on.set()
        idle = await counted(server, 0)

    assert (busy, idle) == (3, 0)


async def test_an_app_begins_and_ends_once() -> None:
    """Its lifespan is run, and what it keeps there is in every request's state."""
    said: list[str] = []

    async with AsgiServer(living(said)).listening() as place:
        answer = await asked(place, POST + b"body")

    assert answer == (200, b"credits")
    assert said == ["lifespan.startup", "lifespan.shutdown"]


async def test_an_app_that_cannot_begin_is_no_race() -> None:
    """What it said is in the message."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RaceError, match="startup failed: no database"):
        async with AsgiServer(app).listening():
            pass


def living(said: list[str]) -> AsgiApp:
    """An app with a lifespan, which notes what it is asked and answers with what its state has."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for what in ("startup", "shutdown"):
                said.append((await receive())["type"])
                scope["state"]["kept"] = b"credits"
                await send({"type": f"lifespan.{what}.complete"})
            return
        await send(OK)
        await send({"type": "http.response.body", "body": scope["state"]["kept"]})

    return app


async def asked(place: Place, request: bytes) -> tuple[int, bytes]:
    """The status and the body of the answer to a request."""
    line = await Line.open(place, timeout_seconds=5)
    await line.send(request)
    answer = await line.read_answer("POST", timeout_seconds=5)
    line.cut()
    return answer.status, answer.body


async def counted(server: AsgiServer, wanted: int) -> int:
    """How many requests are at work, once it is as many as wanted or a while has passed."""
    for _ in range(100):
        if server.busy == wanted:
            break
        await asyncio.sleep(0.02)
    return server.busy
