"""Misbehaving apps: servers that answer with given bytes, late or not at all; and small ASGI apps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sixpence import CreditService, InsufficientCreditsError
from sixpence.testing.races.servers.asgi_server import AsgiApp

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Work = Callable[[str], Awaitable[int]]


@asynccontextmanager
async def raw_server(handle: Handler) -> AsyncIterator[str]:
    """The URL of a server that runs this handler for each connection."""
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()


def answer_with(data: bytes) -> Handler:
    """A handler that answers each request with these bytes, and hangs up."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_head(reader)
        writer.write(data)
        writer.close()

    return handle


async def read_head(reader: asyncio.StreamReader) -> None:
    """Read the head of a request."""
    try:
        await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return


def small_app(work: Work) -> AsgiApp:
    """An ASGI app that answers with the status that `work` returns for the request's key."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        key = dict(scope["headers"]).get(b"idempotency-key", b"").decode()
        status = await work(key)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    return app


def delayed(work: Work, seconds: float) -> Work:
    """The same work, begun later for those clients of a first wave, `hang_ups` of 12, that hang up while the app works.

    The single call has the first key; the third of every four clients hangs up while the app works.
    """

    async def work_later(key: str) -> int:
        if key.endswith(("-4", "-8", "-12")):
            await asyncio.sleep(seconds)
        return await work(key)

    return work_later


def charging(credits: CreditService, account_id: str) -> Work:
    """Work that charges a credit under the request's key."""

    async def work(key: str) -> int:
        try:
            await credits.consume_credit(account_id, "interior", idempotency_key=key)
        except InsufficientCreditsError:
            return 402
        return 200

    return work
