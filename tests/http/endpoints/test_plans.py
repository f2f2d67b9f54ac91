"""Plans, standing, usages, estimates and fair use over the wire, under a catalog in which they occur."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.http.house import SITE, House, open_account, opened_house
from tests.ledger.databases import proved

CATALOG = """
default_plan = "free"

[features.draw]
credits = 1

[features.render]
credits = 2
unit = "second"
block = 10

[features.chat]
tokens_block = 1000
[features.chat.models.small]
input = 1
output = 4

[plans.free]
signup_credits = 6

[plans.basic]
rank = 10
allowance = 100
period = "month"
trial = { days = 7, allowance = 20 }

[plans.max]
rank = 30
unlimited = true
fair_use = { uses = 2, per = "hour" }
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the catalog."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "sixpence.toml").write_text(CATALOG)
    return folder


@pytest.fixture(scope="module")
async def house(home: Path) -> AsyncIterator[House]:
    """An installation over a SQLite file with a catalog of its own."""
    url = f"sqlite:///{home / 'credits.db'}"
    async with opened_house(url, home, catalog=str(home / "sixpence.toml")) as opened:
        yield opened
    proved(url)


async def test_a_plan_and_its_end(shop: httpx.AsyncClient) -> None:
    """A change of plan answers with its term; a cancellation with what waits; the account shows both."""
    path = await open_account(shop, "plan 1")

    put = await shop.post(f"{path}/plan", json={"plan": "basic", "reason": "checkout"})
    cancelled = await shop.post(f"{path}/plan/cancel", json={}, headers={"Idempotency-Key": "k"})
    again = await shop.post(f"{path}/plan/cancel", json={}, headers={"Idempotency-Key": "k"})
    shown = (await shop.get(path)).json()

    body = put.json()
    ends_at = body["term"]["ends_at"]
    term = {"period": "month", "ends_at": ends_at, "trial": False, "next_plan": None, "cancelled": False}
    assert (put.status_code, body) == (
        200,
        {
            "transaction_id": body["transaction_id"],
            "account_id": "plan 1",
            "term": term,
            "remaining": 106,
            "total": 106,
            "held": 0,
            "subscription_status": "basic",
            "version": 2,
            "created_at": body["created_at"],
        },
    )
    assert (cancelled.json()["term"], again.content) == ({**term, "cancelled": True}, cancelled.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert (shown["term_ends_at"], shown["waiting_plan"], shown["next_allowance_at"]) == (
        ends_at,
        {"plan": "free", "at": ends_at},
        None,
    )
    assert (shown["next_expiry_at"], shown["next_expiry_amount"]) == (ends_at, 100)


async def test_a_trial(shop: httpx.AsyncClient) -> None:
    """A plan is tried once."""
    path = await open_account(shop, "plan 2")

    tried = await shop.post(f"{path}/plan", json={"plan": "basic", "trial": True})
    again = await shop.post(f"{path}/plan", json={"plan": "basic", "trial": True})

    assert (tried.json()["remaining"], tried.json()["term"]["trial"]) == (26, True)
    assert (again.status_code, again.json()["code"]) == (409, "trial-refused")


async def test_a_plan_that_it_is_on(shop: httpx.AsyncClient) -> None:
    """Nothing has to change, so there is no transaction, and the answer says how it is."""
    path = await open_account(shop, "plan 3")

    answer = await shop.post(f"{path}/plan", json={"plan": "free"})

    body = answer.json()
    assert (answer.status_code, body["transaction_id"], body["created_at"], body["version"]) == (200, None, None, 1)


async def test_standing(shop: httpx.AsyncClient) -> None:
    """Frozen, a use is 403; unfrozen it is paid; closed is the end."""
    path = await open_account(shop, "standing")

    answers = []
    for rest in ("freeze", "unfreeze", "close"):
        changed = await shop.post(f"{path}/{rest}", json={"reason": "a test"})
        used = await shop.post(f"{path}/consume", json={"feature": "draw"})
        answers.append(
            (changed.json()["standing"], changed.json()["remaining"], used.status_code, used.json().get("code"))
        )

    assert answers == [
        ("frozen", 6, 403, "account-frozen"),
        ("open", 6, 200, None),
        ("closed", 0, 403, "account-closed"),
    ]


async def test_fair_use(shop: httpx.AsyncClient) -> None:
    """When fair use is used up, 429 says when it opens, as a time and as seconds to wait."""
    path = await open_account(shop, "fair use")
    await shop.post(f"{path}/plan", json={"plan": "max"})
    used = [await shop.post(f"{path}/consume", json={"feature": "draw"}) for _ in range(3)]
    shown = (await shop.get(path)).json()["fair_use"]

    refused = used[2]
    body = refused.json()
    opens_at = datetime.fromisoformat(body["opens_at"])
    assert [answer.status_code for answer in used] == [200, 200, 429]
    assert (body["code"], body["plan"], body["uses"], body["per"]) == ("fair-use-limit", "max", 2, "hour")
    assert abs((opens_at - datetime.now(UTC)).total_seconds() - int(refused.headers["retry-after"])) < 10
    assert {**shown, "opens_at": datetime.fromisoformat(shown["opens_at"])} == {
        "uses": 2,
        "per": "hour",
        "used": 2,
        "opens_at": opens_at,
    }


async def test_what_was_used_is_priced(house: House, shop: httpx.AsyncClient) -> None:
    """Servers and users send units or tokens, and the price follows."""
    path = await open_account(shop, "usages")
    ada = await house.user()
    usage = {"model": "small", "input_tokens": 500, "output_tokens": 200}

    answers = [
        await shop.post(f"{path}/consume", json={"feature": "render", "units": 11}),
        await shop.post(f"{path}/consume", json={"feature": "chat", "usage": usage}),
        await ada.post("/api/user/credits/consume", json={"feature": "render", "units": 10}),
        await ada.post("/api/user/credits/consume", json={"feature": "chat", "usage": usage}),
    ]

    history = (await ada.get("/api/user/credits/history?kind=consume")).json()["transactions"]
    assert [answer.json()["credits_consumed"] for answer in answers] == [4, 2, 2, 2]
    assert [(row["price"], row["usage"]) for row in history] == [(2, usage), (2, {"units": 10})]


async def test_a_usage_without_a_price(shop: httpx.AsyncClient) -> None:
    """What is not sold like this is 422, with the field at fault and what can be sent."""
    path = await open_account(shop, "unpriced")

    answer = await shop.post(f"{path}/consume", json={"feature": "chat", "usage": {"model": "huge", "input_tokens": 1}})

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid-usage", "usage.model")
    assert answer.json()["detail"] == "usage.model: 'huge' has no price. Send one of: small."


async def test_estimates(shop: httpx.AsyncClient) -> None:
    """By the catalog for anybody; for an account with whether it could pay; from the past where nothing is said."""
    path = await open_account(shop, "estimates")
    hold = (await shop.post(f"{path}/holds", json={"feature": "render", "units": 30})).json()["hold_id"]
    await shop.post(f"{path}/holds/{hold}/capture", json={"units": 15})

    priced = (await shop.get("/v1/estimate", params={"feature": "render", "units": 21})).json()
    past = (await shop.get("/v1/estimate", params={"feature": "render"})).json()
    own = (await shop.post(f"{path}/estimate", json={"feature": "render", "units": 21})).json()
    unknown = (await shop.post(f"{path}/estimate", json={"feature": "chat"})).json()

    nothing = {"feature": "render", "catalog_version": 1, "price": 6, "past": []}
    assert priced == nothing
    assert past == {**nothing, "price": None, "past": [{"model": None, "count": 1, "p50": 4, "p95": 4}]}
    assert own == {**nothing, "allowed": False, "required": 6, "remaining": 2, "available": 2, "unlimited": False}
    assert unknown == {
        "feature": "chat",
        "catalog_version": 1,
        "price": None,
        "past": [],
        "allowed": None,
        "required": None,
        "remaining": 2,
        "unlimited": False,
    }


async def test_another_page_cannot_freeze(house: House, shop: httpx.AsyncClient) -> None:
    """What an operator's browser is made to send by another site is refused."""
    await open_account(shop, "not frozen")
    olga = await house.operator()

    refused = await olga.post(
        "/api/admin/accounts/not%20frozen/freeze", json={}, headers={"origin": "https://evil.example.com"}
    )
    done = await olga.post("/api/admin/accounts/not%20frozen/freeze", json={}, headers={"origin": SITE})

    assert (refused.status_code, refused.json()["code"], done.status_code) == (403, "forbidden", 200)
