"""Plans, account status, usage, estimates and fair use over HTTP, with a catalog that has all of them."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from tests.http.installation import SITE, Installation, open_account, open_installation
from tests.ledger.databases import verify_clean

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
async def installation(home: Path) -> AsyncIterator[Installation]:
    """An installation over a SQLite file with this catalog."""
    url = f"sqlite:///{home / 'credits.db'}"
    async with open_installation(url, home, catalog=str(home / "sixpence.toml")) as opened:
        yield opened
    verify_clean(url)


async def test_change_and_cancel_plan(shop: httpx.AsyncClient) -> None:
    """A change of plan returns its term, a cancellation its end; the account shows both."""
    path = await open_account(shop, "plan 1")

    changed = await shop.post(f"{path}/plan", json={"plan": "basic", "reason": "checkout"})
    cancelled = await shop.post(f"{path}/plan/cancel", json={}, headers={"Idempotency-Key": "k"})
    again = await shop.post(f"{path}/plan/cancel", json={}, headers={"Idempotency-Key": "k"})
    shown = (await shop.get(path)).json()

    body = changed.json()
    ends_at = body["term"]["ends_at"]
    term = {"period": "month", "ends_at": ends_at, "trial": False, "next_plan": None, "cancelled": False}
    assert (changed.status_code, body) == (
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


async def test_trial_is_possible_once(shop: httpx.AsyncClient) -> None:
    """A second trial of a plan is refused."""
    path = await open_account(shop, "plan 2")

    tried = await shop.post(f"{path}/plan", json={"plan": "basic", "trial": True})
    again = await shop.post(f"{path}/plan", json={"plan": "basic", "trial": True})

    assert (tried.json()["remaining"], tried.json()["term"]["trial"]) == (26, True)
    assert (again.status_code, again.json()["code"]) == (409, "trial-refused")


async def test_change_to_the_current_plan_is_a_no_op(shop: httpx.AsyncClient) -> None:
    """The answer has the balance, and no transaction."""
    path = await open_account(shop, "plan 3")

    answer = await shop.post(f"{path}/plan", json={"plan": "free"})

    body = answer.json()
    assert (answer.status_code, body["transaction_id"], body["created_at"], body["version"]) == (200, None, None, 1)


async def test_freeze_unfreeze_and_close(shop: httpx.AsyncClient) -> None:
    """A frozen account refuses a use with 403, an open one charges it, a closed one refuses it."""
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


async def test_fair_use_limit_is_429(shop: httpx.AsyncClient) -> None:
    """Over the fair-use limit, a 429 has the instant when the window opens, and Retry-After in seconds."""
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


async def test_units_and_tokens_are_priced(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Servers and users send units or tokens, and the catalog gives the price."""
    path = await open_account(shop, "usages")
    ada = await installation.user()
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


async def test_usage_without_a_price(shop: httpx.AsyncClient) -> None:
    """A usage that the catalog does not price is 422, with the field and the remedy."""
    path = await open_account(shop, "unpriced")

    answer = await shop.post(f"{path}/consume", json={"feature": "chat", "usage": {"model": "huge", "input_tokens": 1}})

    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid-usage", "usage.model")
    assert answer.json()["detail"] == "usage.model: 'huge' has no price. Send one of: small."


async def test_estimates(shop: httpx.AsyncClient) -> None:
    """An estimate by units has a price, and for an account whether it can pay; without units it has past prices."""
    path = await open_account(shop, "estimates")
    hold = (await shop.post(f"{path}/holds", json={"feature": "render", "units": 30})).json()["hold_id"]
    await shop.post(f"{path}/holds/{hold}/capture", json={"units": 15})

    priced = (await shop.get("/v1/estimate", params={"feature": "render", "units": 21})).json()
    past = (await shop.get("/v1/estimate", params={"feature": "render"})).json()
    for_account = (await shop.post(f"{path}/estimate", json={"feature": "render", "units": 21})).json()
    unknown = (await shop.post(f"{path}/estimate", json={"feature": "chat"})).json()

    expected = {"feature": "render", "catalog_version": 1, "price": 6, "past": []}
    assert priced == expected
    assert past == {**expected, "price": None, "past": [{"model": None, "count": 1, "p50": 4, "p95": 4}]}
    assert for_account == {
        **expected,
        "allowed": False,
        "required": 6,
        "remaining": 2,
        "available": 2,
        "unlimited": False,
    }
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


async def test_foreign_page_cannot_freeze(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A request that a foreign page sends through an operator's browser is refused."""
    await open_account(shop, "not frozen")
    olga = await installation.operator()

    refused = await olga.post(
        "/api/admin/accounts/not%20frozen/freeze", json={}, headers={"origin": "https://evil.example.com"}
    )
    done = await olga.post("/api/admin/accounts/not%20frozen/freeze", json={}, headers={"origin": SITE})

    assert (refused.status_code, refused.json()["code"], done.status_code) == (403, "forbidden", 200)
