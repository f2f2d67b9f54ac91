"""More changes than the writer gets done: what would wait too long is refused unread, what was accepted is served."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx

from sixpence.ledger.writer.throughput import FEW
from sixpence.settings import Settings
from tests.http.house import PROBLEM, House, open_account, opened_house
from tests.ledger.databases import consumed, proved

CROWD = 200


async def test_a_crowd_is_refused_at_once(sqlite_url: str, tmp_path: Path) -> None:
    """While hundreds wait for a slow writer whoever comes is told to come again; reads are not."""
    async with opened_house(sqlite_url, tmp_path, batch_size_max=1, queue_seconds_max=0.01) as house:
        shop = await house.server()
        path = await open_account(shop, "crowd")
        (await shop.post(f"{path}/grants", json={"amount": 10_000, "reason": "tests"})).raise_for_status()

        before = await asyncio.gather(*(_use(shop, path) for _ in range(CROWD)))
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as elsewhere:
            elsewhere.execute("BEGIN IMMEDIATE")
            early = [asyncio.create_task(_use(shop, path)) for _ in range(CROWD)]
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
    assert (accepted, len(served) - accepted) == (FEW + 2, CROWD - FEW - 2)
    assert consumed(sqlite_url, "crowd") == sum(answer.status_code == 200 for answer in (*before, *served, after))
    proved(sqlite_url)


async def _use(shop: httpx.AsyncClient, path: str) -> httpx.Response:
    return await shop.post(f"{path}/consume", json={"feature": "video"})


async def test_bodies_that_never_come_keep_nobody_out(own_house: House) -> None:
    """Any number of clients, whoever they are, may leave their bodies unsent: others are served meanwhile."""
    shop = await own_house.server()
    path = await open_account(shop, "patient")
    stranger = b"Bearer sixpence_" + b"a" * 40
    slow = [asyncio.create_task(_never_sends(own_house, path, stranger)) for _ in range(Settings().under_way_max + 10)]
    await asyncio.sleep(0)

    served = await _use(shop, path)

    for task in slow:
        task.cancel()
    assert served.status_code == 200


async def _never_sends(house: House, path: str, authorization: bytes) -> None:
    raw_path = f"{path}/consume"
    scope = {
        "type": "http",
        "method": "POST",
        "path": raw_path,
        "raw_path": raw_path.encode(),
        "query_string": b"",
        "headers": [(b"authorization", authorization)],
    }
    await house.app(scope, asyncio.Event().wait, _nobody_listens)  # type: ignore[arg-type]


async def _nobody_listens(_message: object) -> None:
    return None
