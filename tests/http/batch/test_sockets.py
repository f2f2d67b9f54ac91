"""Batches over real sockets, to a server process: clients that read late, never read, or disconnect."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.http.batch.batch_client import NDJSON, PATH, consume_line, to_ndjson, wait_until_stable
from tests.ledger.databases import count_uses, rows, verify_clean
from tests.support.server import ServerProcess, running_server

MEBIBYTE = 2**20
# Four bytes a character. The answer is as long as its line, so all answers together exceed the socket buffers.
REASON = "🪙" * 1_000


class Shop:
    """The headers and requests of a client, the server, and its database."""

    def __init__(self, server: ServerProcess, url: str, key: str) -> None:
        self.server = server
        self.url = url
        self.headers = {"authorization": f"Bearer {key}", "content-type": NDJSON}

    def open_funded_account(self, account_id: str) -> None:
        """Make an account with a hundred thousand credits."""
        made = {"op": "ensure", "account_id": account_id}
        given = {"op": "grant", "account_id": account_id, "amount": 100_000, "reason": "tests"}
        answer = httpx.post(f"{self.server.url}{PATH}", content=to_ndjson([made, given]), headers=self.headers)
        assert [json.loads(line)["status"] for line in answer.content.splitlines()] == [201, 200]

    @asynccontextmanager
    async def start_batch(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Start a chunked batch; gives the streams of its connection, which is closed at the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        head = {"host": "here", "transfer-encoding": "chunked", **self.headers}
        lines = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    def resident_bytes(self) -> int:
        """The resident memory of the server process."""
        listed = subprocess.run(["ps", "-o", "rss=", "-p", str(self.server.pid)], capture_output=True, check=True)
        return int(listed.stdout) * 1_024


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A running server over a SQLite file; at the end its ledger is verified, and its log has no error."""
    home: Path = tmp_path_factory.mktemp("home")
    url = f"sqlite:///{home / 'credits.db'}"
    limits = {"SIXPENCE_BODY_BYTES_MAX": str(2 * MEBIBYTE), "SIXPENCE_BATCH_BYTES_MAX": str(64 * MEBIBYTE)}
    with running_server(url, home, env=limits) as server:
        yield Shop(server, url, server.create_key())
        logged = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
        assert [entry for entry in logged if entry["level"] not in ("info", "warning") or "exception" in entry] == []
    verify_clean(url)


async def test_client_sends_everything_before_it_reads(shop: Shop) -> None:
    """Most clients do. A batch of ten thousand lines and nearly two mebibytes is answered completely."""
    shop.open_funded_account("all at once")
    body = to_ndjson(consume_line("all at once", idempotency_key=f"{number:0100}") for number in range(10_000))

    async with httpx.AsyncClient(base_url=shop.server.url, headers=shop.headers, timeout=60) as client:
        answer = await client.post(PATH, content=body)

    assert 1.8 * MEBIBYTE < len(body) < 2 * MEBIBYTE
    answers = [json.loads(line) for line in answer.content.splitlines()]
    assert [(each["index"], each["status"]) for each in answers] == [(number, 200) for number in range(10_000)]
    assert count_uses(shop.url, "all at once") == 10_000


async def test_client_that_never_reads_is_bounded(shop: Shop) -> None:
    """Of fifty mebibytes the server reads only as much as its limits allow; it stops when the client disconnects."""
    for number in range(50):
        shop.open_funded_account(f"unread {number}")
    before = shop.resident_bytes()
    sent = 0

    async with shop.start_batch() as (_, writer):
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
    done = await wait_until_stable(lambda: int(rows(shop.url, query)[0][0]))
    assert done < 6_000


async def test_client_that_disconnects_stops_its_batch(shop: Shop) -> None:
    """It sends five thousand lines and disconnects: started lines finish, and most of the rest never start."""
    shop.open_funded_account("left")
    part = to_ndjson([consume_line("left")] * 5_000)

    async with shop.start_batch() as (reader, writer):
        writer.write(b"%x\r\n%b\r\n" % (len(part), part))
        await reader.readuntil(b'"index":0')
    done = await wait_until_stable(lambda: count_uses(shop.url, "left"))

    assert 0 < done < 4_000
    shop.open_funded_account("after it left")
