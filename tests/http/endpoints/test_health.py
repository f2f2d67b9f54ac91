"""Liveness and readiness: while the database is away, requests are 503; when it is back, no restart is needed."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.http.installation import PROBLEM, SITE, Installation, open_account, open_installation
from tests.ledger.databases import ledger_of, upgrade, verify_clean
from tests.support.postgres import PostgresServer


@pytest.fixture(scope="module")
def stoppable_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server that the tests of this module stop and start."""
    with PostgresServer() as server:
        yield server


async def test_livez_and_readyz(installation: Installation) -> None:
    """Both need no authorization: the process lives, and it can serve with this catalog."""
    client = installation.client()

    live, ready = await client.get("/livez"), await client.get("/readyz")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "catalog_version": 1})


async def test_database_restarts(stoppable_server: PostgresServer, tmp_path: Path) -> None:
    """While PostgreSQL is down, every request except /livez is 503 with Retry-After; then requests are served."""
    url = stoppable_server.create_database()
    upgrade(url)
    async with open_installation(url, tmp_path) as installation:
        shop, ada = await installation.server(), await installation.user()
        path = await open_account(shop, "patient")
        await shop.post(f"{path}/consume", json={"feature": "video"})

        stoppable_server.kill()
        away = await asyncio.gather(
            installation.client().get("/readyz"),
            shop.get(path),
            shop.post(f"{path}/consume", json={"feature": "video"}),
            ada.get("/api/user/credits"),
            ada.post("/api/user/credits/consume", json={"feature": "video"}),
            installation.client(origin=SITE).get("/livez"),
        )
        stoppable_server.start()
        await wait_until_ready(installation)
        used = await shop.post(f"{path}/consume", json={"feature": "video"})

    *refused, live = away
    assert [(answer.status_code, answer.headers["content-type"]) for answer in refused] == [(503, PROBLEM)] * 5
    assert [int(answer.headers["retry-after"]) > 0 for answer in refused] == [True] * 5
    assert {answer.json()["code"] for answer in refused} == {"database-unavailable"}
    assert live.status_code == 200
    assert (used.status_code, used.json()["remaining"]) == (200, 4)
    assert ledger_of(url, "patient") == [(1, "signup", 6, 6), (2, "consume", -1, 5), (3, "consume", -1, 4)]
    verify_clean(url)


async def test_database_starts_after_the_installation(stoppable_server: PostgresServer, tmp_path: Path) -> None:
    """An installation that starts before its database is ready once the database is."""
    url = stoppable_server.create_database()
    upgrade(url)
    stoppable_server.stop()
    async with open_installation(url, tmp_path) as installation:
        before = await installation.client().get("/readyz")
        stoppable_server.start()
        await wait_until_ready(installation)

    assert (before.status_code, before.json()["code"], before.headers["retry-after"]) == (
        503,
        "database-unavailable",
        "1",
    )


async def wait_until_ready(installation: Installation) -> httpx.Response:
    """The first answer of /readyz with status 200, within ten seconds."""
    deadline = time.monotonic() + 10
    while True:
        answer = await installation.client().get("/readyz")
        if answer.status_code == 200 or time.monotonic() > deadline:
            assert answer.status_code == 200
            return answer
        await asyncio.sleep(0.05)
