"""Backpressure: unread answers, a full queue and a disconnect bound how much of a batch is in flight."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from sixpence.http.batch.route import batch_routes
from sixpence.http.batch.runner import IN_FLIGHT_MAX
from sixpence.settings import Settings
from sixpence.wiring import wire
from tests.http.batch.batch_client import (
    Line,
    consume_line,
    open_funded_account,
    open_stream,
    send_batch,
    to_ndjson,
    wait_until_stable,
)
from tests.http.installation import Installation, open_installation
from tests.ledger.databases import count_uses, rows, verify_clean

pytestmark = pytest.mark.slow


@pytest.mark.slow
async def test_unread_answers_stop_the_reading_of_lines(sqlite_url: str, tmp_path: Path) -> None:
    """While the client reads no answers, a bounded part of the batch is read and run; then it continues."""
    async with open_installation(sqlite_url, tmp_path, body_bytes_max=16_384) as installation:
        shop = await installation.server()
        await open_funded_account(shop, "slow")
        line = consume_line("slow", metadata={"a": "x" * 200})
        async with open_stream(installation.app, shop) as stream:
            stream.reading.clear()
            for _ in range(80):
                stream.send(*[line] * 100)
            stream.end()

            done = await wait_until_stable(lambda: count_uses(sqlite_url, "slow"), at_least=IN_FLIGHT_MAX)
            received = await wait_until_stable(lambda: stream.received_bytes)
            stream.reading.set()
            answers = [await stream.receive() for _ in range(8_000)]

        size = len(to_ndjson([line]))
        assert done == IN_FLIGHT_MAX
        # The started lines, the buffered ones (a little more than the longest line), and the last message.
        assert received <= size * IN_FLIGHT_MAX + 16_384 + 2 * 100 * size
        assert [(answer["index"], answer["status"]) for answer in answers] == [(n, 200) for n in range(8_000)]
        assert count_uses(sqlite_url, "slow") == 8_000
    verify_clean(sqlite_url)


async def test_disconnect_finishes_only_started_lines(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Started lines finish, the rest never start, and the app ends the request at once."""
    await open_funded_account(shop, "left")

    async with open_stream(installation.app, shop) as stream:
        stream.reading.clear()
        stream.send(*[consume_line("left") for _ in range(4_000)])
        stream.end()
        await wait_until_stable(lambda: count_uses(installation.url, "left"), at_least=IN_FLIGHT_MAX)
        stream.disconnect()

    assert count_uses(installation.url, "left") == IN_FLIGHT_MAX


async def test_disconnect_in_the_middle_of_a_line(installation: Installation, shop: httpx.AsyncClient) -> None:
    """An incomplete line is not run; the lines before it are."""
    await open_funded_account(shop, "broke off")

    async with open_stream(installation.app, shop) as stream:
        stream.send(consume_line("broke off"))
        await stream.receive()
        stream.send(to_ndjson([consume_line("broke off")]).rstrip(b"}\n"))
        stream.disconnect()

    assert count_uses(installation.url, "broke off") == 1


async def test_lines_wait_for_a_full_queue(sqlite_url: str, tmp_path: Path) -> None:
    """With room for three in the writer's queue, a batch of hundreds still runs, in order."""
    accounts = ["full a", "full b"]
    async with open_installation(sqlite_url, tmp_path, queue_size_max=3, batch_size_max=2) as installation:
        shop = await installation.server()
        for account_id in accounts:
            await open_funded_account(shop, account_id)
        lines = [consume_line(accounts[number % 2], generation_id=str(number)) for number in range(300)]

        answers = await send_batch(shop, lines)

        assert {answer["status"] for answer in answers} == {200}
        query = "SELECT generation_id FROM credit_transactions WHERE account_id = :id AND kind = 'consume' ORDER BY seq"
        for place, account_id in enumerate(accounts):
            done = [row[0] for row in rows(installation.url, query, {"id": account_id})]
            assert done == [str(number) for number in range(place, 300, 2)]
    verify_clean(sqlite_url)


async def test_grants_with_source_keys_wait_for_a_full_queue(sqlite_url: str, tmp_path: Path) -> None:
    """Many grants with source keys run at once, each before the next line of its account."""
    async with open_installation(sqlite_url, tmp_path, queue_size_max=2, batch_size_max=1) as installation:
        shop = await installation.server()
        lines: list[Line] = []
        for number in range(40):
            lines.append({"op": "ensure", "account_id": f"p{number}"})
        for number in range(40):
            paid = {"amount": 44, "reason": "paid", "source_key": f"invoice {number}"}
            lines.append({"op": "grant", "account_id": f"p{number}", **paid})
            lines.append({"op": "place_hold", "account_id": f"p{number}", "feature": "video", "amount": 50})

        answers = await send_batch(shop, lines)

        assert [answer["status"] for answer in answers] == [201] * 40 + [200] * 80
    verify_clean(sqlite_url)


async def test_queue_that_stays_full_is_503(sqlite_url: str, tmp_path: Path) -> None:
    """After some seconds a line gets the 503 that a single request gets at once; the next line is tried again."""
    async with open_installation(sqlite_url, tmp_path, queue_size_max=1, batch_size_max=1) as installation:
        shop = await installation.server()
        path = await open_funded_account(shop, "stuck")

        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as blocker:
            blocker.execute("BEGIN IMMEDIATE")
            before = []
            for _ in ("with the writer", "in the queue"):
                before.append(asyncio.create_task(_use(shop, path)))
                await asyncio.sleep(0.2)
            async with open_stream(installation.app, shop) as stream:
                stream.send(consume_line("stuck"), consume_line("stuck"))
                stream.end()
                refused = await stream.receive()
                blocker.rollback()
                done = await stream.receive()
        single = await asyncio.gather(*before)

        assert (refused["status"], refused["code"], refused["retry_after_seconds"]) == (503, "overloaded", 1)
        assert done["status"] == 200
        assert [answer.status_code for answer in single] == [200, 200]
        assert count_uses(sqlite_url, "stuck") == 3
    verify_clean(sqlite_url)


async def test_line_late_for_its_batch_is_not_retried(sqlite_url: str, tmp_path: Path) -> None:
    """A queued line that waited too long is a 503. If it ran after all, a later line could have run before it."""
    async with open_installation(sqlite_url, tmp_path, wait_seconds_max=0.05, batch_size_max=1) as installation:
        shop = await installation.server()
        await open_funded_account(shop, "late")

        answers = await send_batch(shop, [consume_line("late", generation_id=str(number)) for number in range(600)])

        done = [answer["generation_id"] for answer in answers if answer["status"] == 200]
        late = [answer["code"] for answer in answers if answer["status"] == 503]
        assert (set(late), len(done) + len(late)) == ({"overloaded"}, 600)
        query = (
            "SELECT generation_id FROM credit_transactions WHERE account_id = 'late' AND kind = 'consume' ORDER BY seq"
        )
        assert [row[0] for row in rows(sqlite_url, query)] == done
    verify_clean(sqlite_url)


async def test_lines_wait_while_the_server_is_overloaded(sqlite_url: str, tmp_path: Path) -> None:
    """A single request would be refused at once; a line starts after the overload. An invalid line is refused."""
    overloaded = asyncio.Event()
    parts = wire(Settings.read({}, home=tmp_path, database_url=sqlite_url))
    await parts.credits.initialize_user_credits("patient")
    key = await parts.api_keys.create_key(name="shop", created_by="tests")
    routes = batch_routes(
        parts.credits,
        parts.callers,
        upgrade_url="/upgrade",
        is_overloaded=overloaded.is_set,
        body_bytes_max=1_024,
        batch_bytes_max=1_024,
    )

    overloaded.set()
    shop = httpx.AsyncClient(headers={"authorization": f"Bearer {key.text}"})
    async with open_stream(Starlette(routes=routes), shop) as stream:
        stream.send(consume_line("patient"), b"{", consume_line("patient"))
        stream.end()
        before = await wait_until_stable(lambda: count_uses(sqlite_url, "patient"))
        overloaded.clear()
        answers = [await stream.receive() for _ in range(3)]
    await parts.credits.close()

    assert (before, [answer["status"] for answer in answers]) == (0, [200, 400, 200])
    assert count_uses(sqlite_url, "patient") == 2
    verify_clean(sqlite_url)


async def _use(shop: httpx.AsyncClient, path: str) -> httpx.Response:
    return await shop.post(f"{path}/consume", json={"feature": "video"})
