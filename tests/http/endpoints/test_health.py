"""Liveness and readiness: a database that goes away and comes back costs 503s, and no restart."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.http.house import PROBLEM, SITE, House, open_account, opened_house
from tests.ledger.databases import ledger_of, proved, upgrade
from tests.support.postgres import PostgresServer


@pytest.fixture(scope="module")
def mortal() -> Iterator[PostgresServer]:
    """A PostgreSQL server for this module, whose tests kill it and start it again."""
    with PostgresServer() as server:
        yield server


async def test_live_and_ready(house: House) -> None:
    """Both answer nobody in particular: the process lives, and it can serve by this catalog."""
    client = house.client()

    live, ready = await client.get("/livez"), await client.get("/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "catalog_version": 1})


async def test_a_database_that_goes_away_and_comes_back(mortal: PostgresServer, tmp_path: Path) -> None:
    """While PostgreSQL is dead every request is a 503 with Retry-After and the process lives; then all goes on."""
    url = mortal.create_database()
    upgrade(url)
    async with opened_house(url, tmp_path) as house:
        shop, ada = await house.server(), await house.user()
        path = await open_account(shop, "patient")
        await shop.post(f"{path}/consume", json={"feature": "video"})

        mortal.kill()
        away = await asyncio.gather(
            house.client().get("/readyz"),
            shop.get(path),
            shop.post(f"{path}/consume", json={"feature": "video"}),
            ada.get("/api/user/credits"),
            ada.post("/api/user/credits/consume", json={"feature": "video"}),
            house.client(origin=SITE).get("/livez"),
        )
        mortal.start()
        await until_ready(house)
        used = await shop.post(f"{path}/consume", json={"feature": "video"})

    *refused, live = away
    assert [(answer.status_code, answer.headers["content-type"]) for answer in refused] == [(503, PROBLEM)] * 5
    assert [int(answer.headers["retry-after"]) > 0 for answer in refused] == [True] * 5
    assert {answer.json()["code"] for answer in refused} == {"database-unavailable"}
    assert live.status_code == 200
    assert (used.status_code, used.json()["remaining"]) == (200, 4)
    assert ledger_of(url, "patient") == [(1, "signup", 6, 6), (2, "consume", -1, 5), (3, "consume", -1, 4)]
    proved(url)


async def test_a_database_that_is_not_there_at_first(mortal: PostgresServer, tmp_path: Path) -> None:
    """An installation that starts before its database is ready as soon as that is."""
    url = mortal.create_database()
    upgrade(url)
    mortal.stop()
    async with opened_house(url, tmp_path) as house:
        before = await house.client().get("/readyz")
        mortal.start()
        await until_ready(house)

    assert (before.status_code, before.json()["code"], before.headers["retry-after"]) == (
        503,
        "database-unavailable",
        "1",
    )


async def until_ready(house: House) -> httpx.Response:
    """The answer of a /readyz that says 200, within ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        answer = await house.client().get("/readyz")
        if answer.status_code == 200 or time.monotonic() > deadline:
            assert answer.status_code == 200
            return answer
        await asyncio.sleep(0.05)
