"""Apps that misbehave: servers that answer whatever bytes a test wants, late or not at all; and small ASGI apps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sixpence import CreditService, InsufficientCreditsError
from sixpence.testing.races.asgi_server import AsgiApp

Behave = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Work = Callable[[str], Awaitable[int]]


@asynccontextmanager
async def crude_server(behave: Behave) -> AsyncIterator[str]:
    """The URL of a server that does this with each connection, once it has read a request."""
    server = await asyncio.start_server(behave, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()


def answering(data: bytes) -> Behave:
    """Answers each request with these bytes, and hangs up."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asked(reader)
        writer.write(data)
        writer.close()

    return behave


async def asked(reader: asyncio.StreamReader) -> None:
    """Read a request to the end of its head."""
    try:
        await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return


def small_app(work: Work) -> AsgiApp:
    """An ASGI app that answers with the status that `work` gives for the request's key."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        key = dict(scope["headers"]).get(b"idempotency-key", b"").decode()
        status = await work(key)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    return app


def lingering(work: Work, seconds: float) -> Work:
    """The same work, begun that much later for the clients of a first wave, `hang_ups` of 12, who do not wait for it.

    The lone call has the first key, and the third of every four clients hangs up while the app works.
    """

    async def longer(key: str) -> int:
        if key.endswith(("-4", "-8", "-12")):
            await asyncio.sleep(seconds)
        return await work(key)

    return longer


def charging(credits: CreditService, account_id: str) -> Work:
    """Charges a credit under the request's key."""

    async def work(key: str) -> int:
        try:
            await credits.consume_credit(account_id, "interior", idempotency_key=key)
        except InsufficientCreditsError:
            return 402
        return 200

    return work
