"""The endpoints of operators on the catalog, over both databases: show, compare, apply."""

import httpx
import pytest

from tests.http.installation import Installation, user_id

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
async def olga(installation: Installation) -> httpx.AsyncClient:
    """An operator who has signed in."""
    return await installation.operator()


async def test_diff_shows_the_changes_of_a_draft(
    installation: Installation, ada: httpx.AsyncClient, olga: httpx.AsyncClient
) -> None:
    """The answer describes each change, and counts the accounts on each changed or removed plan; nothing is applied."""
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
        "plan pro is removed: accounts on it cannot use anything until they are put on another plan",
        "plan free: an account on it may fall 5 below zero instead of 0; what is owed stays owed",
    ]
    assert (await olga.get(CATALOG)).json() == before


async def test_invalid_draft_is_refused(olga: httpx.AsyncClient) -> None:
    """Comparing and applying an invalid draft are refused with its problems."""
    answers = [
        await olga.post(path, json={"toml": "[features.a]\nblock = 0\n[plans.free]"}) for path in (DIFF, CATALOG)
    ]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("features.a.block: 0 is not a whole number from 1 to" in answer.json()["detail"] for answer in answers)


async def test_shown_catalog_has_no_earlier_versions(installation: Installation, olga: httpx.AsyncClient) -> None:
    """The endpoint shows only the catalog in force, without the earlier versions."""
    applied = (await olga.post(CATALOG, json={"toml": DRAFT})).json()

    shown = (await olga.get(CATALOG)).json()

    assert applied == {"version": 2, "version_before": 1}
    assert (shown["version"], shown["earlier"]) == (2, [])
    assert (await olga.post(DIFF, json={"toml": DRAFT})).json() == {"version": 2, "differences": [], "accounts": {}}
