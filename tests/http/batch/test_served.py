"""Batches over real sockets, to a server in a process of its own: who reads late, who never reads, who goes away."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.http.batch.batching import NDJSON, PATH, body_of, use
from tests.ledger.databases import consumed, proved, rows
from tests.support.server import ServerProcess, running_server

MEBIBYTE = 2**20
# Four bytes a character: an answer as long as its line, so that not even the kernel has room for all of them.
REASON = "🪙" * 1_000


class Shop:
    """A server's client, and the database behind it."""

    def __init__(self, server: ServerProcess, url: str, key: str) -> None:
        self.server = server
        self.url = url
        self.headers = {"authorization": f"Bearer {key}", "content-type": NDJSON}

    def open_rich(self, account_id: str) -> None:
        """Make an account with a hundred thousand credits."""
        made = {"op": "ensure", "account_id": account_id}
        given = {"op": "grant", "account_id": account_id, "amount": 100_000, "reason": "tests"}
        answer = httpx.post(f"{self.server.url}{PATH}", content=body_of([made, given]), headers=self.headers)
        assert [json.loads(line)["status"] for line in answer.content.splitlines()] == [201, 200]

    @asynccontextmanager
    async def sending(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A batch in chunks, and its answers for whoever reads them; at the end the connection is closed."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        head = {"host": "here", "transfer-encoding": "chunked", **self.headers}
        lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    def resident_bytes(self) -> int:
        """The memory that the server has."""
        told = subprocess.run(["ps", "-o", "rss=", "-p", str(self.server.pid)], capture_output=True, check=True)
        return int(told.stdout) * 1_024


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A running server over a SQLite file; at the end its ledger is proved, and its log has no error."""
    home: Path = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'credits.db'}"
    limits = {"SIXPENCE_BODY_BYTES_MAX": str(2 * MEBIBYTE), "SIXPENCE_BATCH_BYTES_MAX": str(64 * MEBIBYTE)}
    with running_server(url, home, env=limits) as server:
        yield Shop(server, url, server.create_key())
        logged = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
        assert [entry for entry in logged if entry["level"] not in ("info", "warning") or "exception" in entry] == []
    proved(url)


async def test_a_client_that_sends_everything_before_it_reads(shop: Shop) -> None:
    """Most clients do: a batch of ten thousand lines and nearly two mebibytes comes to its end."""
    shop.open_rich("all at once")
    body = body_of(use("all at once", idempotency_key=f"{number:0100}") for number in range(10_000))

    async with httpx.AsyncClient(base_url=shop.server.url, headers=shop.headers, timeout=60) as client:
        answer = await client.post(PATH, content=body)

    assert 1.8 * MEBIBYTE < len(body) < 2 * MEBIBYTE
    answers = [json.loads(line) for line in answer.content.splitlines()]
    assert [(each["index"], each["status"]) for each in answers] == [(number, 200) for number in range(10_000)]
    assert consumed(shop.url, "all at once") == 10_000


async def test_a_client_that_never_reads(shop: Shop) -> None:
    """Of fifty mebibytes the server takes in as much as its bounds allow, and forgets it when the client has gone."""
    for number in range(50):
        shop.open_rich(f"unread {number}")
    before = shop.resident_bytes()
    sent = 0

    async with shop.sending() as (_, writer):
        with suppress(TimeoutError):
            for number in range(10_000):
                given = {"op": "grant", "account_id": f"unread {number % 50}", "amount": 1, "reason": REASON}
                part = json.dumps(given, ensure_ascii=False).encode() + b"\n"
                writer.write(b"%x\r\n%b\r\n" % (len(part), part))
                await asyncio.wait_for(writer.drain(), 2)
                sent += len(part)
        grown = shop.resident_bytes() - before

    assert sent < 30 * MEBIBYTE
    assert grown < 30 * MEBIBYTE
    query = "SELECT count(*) FROM credit_transactions WHERE kind = 'grant' AND account_id LIKE 'unread %'"
    done = await settled(lambda: int(rows(shop.url, query)[0][0]))
    assert done < 6_000


async def test_a_client_that_goes_away(shop: Shop) -> None:
    """It sends five thousand lines and leaves: what was begun is finished, most of the rest is not begun."""
    shop.open_rich("left")
    part = body_of([use("left")] * 5_000)

    async with shop.sending() as (reader, writer):
        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        await reader.readuntil(b'"index":0')
    done = await settled(lambda: consumed(shop.url, "left"))

    assert 0 < done < 4_000
    shop.open_rich("after it left")


async def settled(look: Callable[[], int]) -> int:
    """A number once it has stopped growing."""
    before = -1
    while (now := look()) != before:
        before = now
        await asyncio.sleep(0.5)
    return before
