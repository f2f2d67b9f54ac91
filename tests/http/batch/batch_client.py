"""Clients of `POST /v1/batch`: one sends all lines at once, one sends lines and reads answers step by step.

Not here: fixtures (conftest.py), clients over a real socket (test_sockets.py).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from tests.http.installation import open_account

PATH = "/v1/batch"
NDJSON = "application/x-ndjson"

Line = Mapping[str, Any]


def to_ndjson(lines: Iterable[Line | bytes]) -> bytes:
    """The body that holds these lines; bytes are taken as they are."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def consume_line(account_id: str, **more: Any) -> Line:
    """A line that consumes one video, which costs one credit."""
    return {"op": "consume", "account_id": account_id, "feature": "video", **more}


async def send_batch(client: httpx.AsyncClient, lines: Iterable[Line | bytes]) -> list[dict[str, Any]]:
    """Send these lines in one request, and return their answers."""
    answer = await client.post(PATH, content=to_ndjson(lines))
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON)
    return [json.loads(line) for line in answer.content.splitlines()]


async def open_funded_account(client: httpx.AsyncClient, account_id: str) -> str:
    """Make an account with a hundred thousand credits, and return its path."""
    path = await open_account(client, account_id)
    (await client.post(f"{path}/grants", json={"amount": 100_000, "reason": "tests"})).raise_for_status()
    return path


async def wait_until_stable(read: Callable[[], int], *, at_least: int = 0) -> int:
    """A number, once it is at least this and has stopped growing."""
    before = -1
    while (now := read()) != before or now < at_least:
        before = now
        await asyncio.sleep(0.5)
    return before


class BatchStream:
    """One batch, sent and read step by step: the test decides when to send, read and disconnect."""

    def __init__(self, app: ASGIApp, headers: httpx.Headers) -> None:
        self._app = app
        self._headers = [(name.lower(), value) for name, value in headers.raw]
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self.status = 0
        # The bytes that the server has received.
        self.received_bytes = 0
        self.chunks = 0

    def send(self, *lines: Line | bytes) -> None:
        """Send lines."""
        self._sent.put_nowait({"type": "http.request", "body": to_ndjson(lines), "more_body": True})

    def end(self) -> None:
        """End the body."""
        self._sent.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def disconnect(self) -> None:
        """Close the connection."""
        self._sent.put_nowait({"type": "http.disconnect"})
        self.reading.set()

    async def receive(self) -> dict[str, Any]:
        """The next answer."""
        answer: dict[str, Any] = json.loads(await self._answers.get())
        return answer

    async def run(self) -> None:
        """Let the app serve the request."""
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": self._headers,
            "client": ("127.0.0.1", 5_000),
            "server": ("127.0.0.1", 8_000),
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        message = await self._sent.get()
        self.received_bytes += len(message.get("body", b""))
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self.reading.wait()
        lines = message.get("body", b"").splitlines()
        self.chunks += bool(lines)
        for line in lines:
            self._answers.put_nowait(line)


@asynccontextmanager
async def open_stream(app: ASGIApp, client: httpx.AsyncClient) -> AsyncIterator[BatchStream]:
    """Start a batch of this client; at the end the app has finished the request."""
    stream = BatchStream(app, client.headers)
    serving = asyncio.create_task(stream.run())
    try:
        yield stream
    except BaseException:
        stream.disconnect()
        raise
    finally:
        await asyncio.wait_for(serving, 60)
