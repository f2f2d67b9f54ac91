"""Overload through ASGI: changes that would wait too long are refused at once, and accepted ones are served."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from sixpence.ledger.writer.throughput import ESTIMATE_COUNT_MIN
from sixpence.settings import Settings
from tests.http.installation import PROBLEM, Installation, open_account, open_installation
from tests.ledger.databases import count_uses, verify_clean

pytestmark = pytest.mark.slow

CLIENTS = 200


async def test_changes_are_refused_while_the_queue_is_slow(sqlite_url: str, tmp_path: Path) -> None:
    """While hundreds of changes wait for a slow writer, further changes get a 503 with Retry-After; reads do not."""
    async with open_installation(sqlite_url, tmp_path, batch_size_max=1, queue_seconds_max=0.01) as installation:
        shop = await installation.server()
        path = await open_account(shop, "overload")
        (await shop.post(f"{path}/grants", json={"amount": 10_000, "reason": "tests"})).raise_for_status()

        before = await asyncio.gather(*(_use(shop, path) for _ in range(CLIENTS)))
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            early = [asyncio.create_task(_use(shop, path)) for _ in range(CLIENTS)]
            await asyncio.sleep(1)
            late = await asyncio.gather(*(_use(shop, path) for _ in range(10)))
            seen = await shop.get(path)
        served = await asyncio.gather(*early)
        after = await _use(shop, path)

    assert {answer.status_code for answer in late} == {503}
    assert (late[0].json()["code"], late[0].headers["retry-after"]) == ("overloaded", "1")
    assert late[0].headers["content-type"] == PROBLEM
    assert (seen.status_code, after.status_code) == (200, 200)
    accepted = sum(answer.status_code == 200 for answer in served)
    assert (accepted, len(served) - accepted) == (ESTIMATE_COUNT_MIN + 2, CLIENTS - ESTIMATE_COUNT_MIN - 2)
    assert count_uses(sqlite_url, "overload") == sum(answer.status_code == 200 for answer in (*before, *served, after))
    verify_clean(sqlite_url)


async def _use(shop: httpx.AsyncClient, path: str) -> httpx.Response:
    return await shop.post(f"{path}/consume", json={"feature": "video"})


async def test_unsent_bodies_do_not_block_other_clients(own_installation: Installation) -> None:
    """Any number of clients may leave their bodies unsent: others are served meanwhile."""
    shop = await own_installation.server()
    path = await open_account(shop, "patient")
    stranger = b"Bearer sixpence_" + b"a" * 40
    slow = [
        asyncio.create_task(_send_no_body(own_installation, path, stranger))
        for _ in range(Settings().under_way_max + 10)
    ]
    await asyncio.sleep(0)

    served = await _use(shop, path)

    for task in slow:
        task.cancel()
    assert served.status_code == 200


async def _send_no_body(installation: Installation, path: str, authorization: bytes) -> None:
    raw_path = f"{path}/consume"
    scope = {
        "type": "http",
        "method": "POST",
        "path": raw_path,
        "raw_path": raw_path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", authorization)],
    }
    await installation.app(scope, asyncio.Event().wait, _discard)  # type: ignore[arg-type]


async def _discard(_message: object) -> None:
    return None
