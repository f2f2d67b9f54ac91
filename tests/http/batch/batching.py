"""Batches as clients have them: sent at once, or in a conversation at the client's own pace.

Not here: fixtures (conftest.py), a client over a real socket (test_batch_served.py).
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from starlette.types import ASGIApp, Message

from tests.http.house import open_account

PATH = "/v1/batch"
NDJSON = "application/x-ndjson"

Line = Mapping[str, Any]


def body_of(lines: Iterable[Line | bytes]) -> bytes:
    """Lines as they are sent; bytes as they are."""
    return b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)


def use(account_id: str, **more: Any) -> Line:
    """A line that consumes one video, which costs one credit."""
    return {"op": "consume", "account_id": account_id, "feature": "video", **more}


async def batch(client: httpx.AsyncClient, lines: Iterable[Line | bytes]) -> list[dict[str, Any]]:
    """The answers to these lines, sent at once."""
    answer = await client.post(PATH, content=body_of(lines))
    assert (answer.status_code, answer.headers["content-type"]) == (200, NDJSON)
    return [json.loads(line) for line in answer.content.splitlines()]


async def open_rich(client: httpx.AsyncClient, account_id: str) -> str:
    """Make an account with a hundred thousand credits, and give its path."""
    path = await open_account(client, account_id)
    (await client.post(f"{path}/grants", json={"amount": 100_000, "reason": "tests"})).raise_for_status()
    return path


class Conversation:
    """One batch, whose client says when it sends, when it reads, and when it goes away."""

    def __init__(self, app: ASGIApp, headers: httpx.Headers) -> None:
        self._app = app
        self._headers = [(name.lower(), value) for name, value in headers.raw]
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self.reads = asyncio.Event()
        self.reads.set()
        self.status = 0
        # What the server has taken in.
        self.taken_bytes = 0
        self.chunks = 0

    def say(self, *lines: Line | bytes) -> None:
        """Send lines."""
        self._sent.put_nowait({"type": "http.request", "body": body_of(lines), "more_body": True})

    def end(self) -> None:
        """Say that there are no more."""
        self._sent.put_nowait({"type": "http.request", "body": b"", "more_body": False})

    def go_away(self) -> None:
        """Close the connection."""
        self._sent.put_nowait({"type": "http.disconnect"})
        self.reads.set()

    async def hear(self) -> dict[str, Any]:
        """The next answer."""
        answer: dict[str, Any] = json.loads(await self._answers.get())
        return answer

    async def run(self) -> None:
        """The whole exchange, from the server's side."""
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
        self.taken_bytes += len(message.get("body", b""))
        return message

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        await self.reads.wait()
        lines = message.get("body", b"").splitlines()
        self.chunks += bool(lines)
        for line in lines:
            self._answers.put_nowait(line)


@asynccontextmanager
async def conversation(app: ASGIApp, client: httpx.AsyncClient) -> AsyncIterator[Conversation]:
    """A batch of this client's, under way; at the end the server has done with it."""
    talk = Conversation(app, client.headers)
    running = asyncio.create_task(talk.run())
    try:
        yield talk
    except BaseException:
        talk.go_away()
        raise
    finally:
        await asyncio.wait_for(running, 60)
