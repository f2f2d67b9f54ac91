"""The catalog as operators see and change it, over both databases."""

import httpx
import pytest

from tests.http.house import House, user_id

CATALOG = "/api/admin/catalog"
DIFF = "/api/admin/catalog/diff"
DRAFT = """
[features.video]
credits = 4
[plans.free]
signup_credits = 6
overdraft = 5
"""


@pytest.fixture(scope="module")
async def olga(house: House) -> httpx.AsyncClient:
    """An operator who has signed in."""
    return await house.operator()


async def test_what_a_draft_changes(house: House, ada: httpx.AsyncClient, olga: httpx.AsyncClient) -> None:
    """The answer has the sentences, and the accounts on each plan that changes or goes; nothing is applied."""
    await ada.get("/api/user/credits")
    assert await user_id(ada)
    before = (await olga.get(CATALOG)).json()

    answer = await olga.post(DIFF, json={"toml": DRAFT})

    body = answer.json()
    assert answer.status_code == 200
    assert (body["version"], list(body["accounts"]), body["accounts"]["pro"]) == (1, ["free", "pro"], 0)
    assert body["accounts"]["free"] >= 1
    assert body["differences"][-3:] == [
        "feature video: a call costs 4 instead of 1",
        "plan pro is gone: accounts on it cannot use anything until they are put on another plan",
        "plan free: an account on it may fall 5 below zero instead of 0; what is owed stays owed",
    ]
    assert (await olga.get(CATALOG)).json() == before


async def test_a_draft_with_problems(olga: httpx.AsyncClient) -> None:
    """Every problem is in the refusal, as when it is applied."""
    answers = [
        await olga.post(path, json={"toml": "[features.a]\nblock = 0\n[plans.free]"}) for path in (DIFF, CATALOG)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("features.a.block: 0 is not a whole number from 1 to" in answer.json()["detail"] for answer in answers)


async def test_earlier_versions_stay_in_the_ledger(house: House, olga: httpx.AsyncClient) -> None:
    """The catalog in force is shown by itself, however many there were before it."""
    applied = (await olga.post(CATALOG, json={"toml": DRAFT})).json()

    shown = (await olga.get(CATALOG)).json()

    assert applied == {"version": 2, "version_before": 1}
    assert (shown["version"], shown["earlier"]) == (2, [])
    assert (await olga.post(DIFF, json={"toml": DRAFT})).json() == {"version": 2, "differences": [], "accounts": {}}
