"""The endpoints for servers with an API key, over both databases: accounts, consume, grants, history, catalog."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.http.installation import ACCOUNT_DEFAULTS, Installation, account_path, open_account, signup_grant
from tests.ledger.databases import ledger_of, rows

# Ids that a path, a URL, a database or a framework could misread.
ODD_IDS = [
    "team/7",
    "100%",
    "%2F",
    "a%2Fb/c",
    "🪙 zoë",
    " ",
    ".",
    "..",
    "../../etc",
    "a?b=c#d",
    "a+b",
    "a;b,c:d@e",
    "consume",
    "x" * 255,
    "é" * 255,
    "'; DROP TABLE credit_accounts--",
]


async def test_making_an_account_again_returns_200(shop: httpx.AsyncClient) -> None:
    """The first request makes the account and is answered with 201; the next finds it: 200."""
    body = {"account_id": "team 1", "label": "The team", "metadata": {"crm": 7}}

    made = await shop.post("/v1/accounts", json=body)
    found = await shop.post("/v1/accounts", json=body)

    account = {
        "account_id": "team 1",
        "subscription_status": "free",
        "remaining": 6,
        "total": 6,
        "held": 0,
        "version": 1,
    }
    assert (made.status_code, made.json()) == (201, {**account, "created": True})
    assert (found.status_code, found.json()) == (200, {**account, "created": False})


async def test_account_keeps_its_first_label_and_metadata(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Label and metadata are those of the request that made the account."""
    await shop.post("/v1/accounts", json={"account_id": "team 2", "label": "First", "metadata": {"z": 1, "a": "é"}})
    await shop.post("/v1/accounts", json={"account_id": "team 2", "label": "Second", "metadata": {}})

    answer = await shop.get(account_path("team 2"))

    query = "SELECT label, metadata FROM credit_accounts WHERE account_id = 'team 2'"
    assert rows(installation.url, query) == [("First", '{"z":1,"a":"é"}')]
    assert answer.json()["label"] == "First"


async def test_get_account(shop: httpx.AsyncClient) -> None:
    """An account's credits and grants, with the next expiry."""
    path = await open_account(shop, "team 3")
    ends = (datetime.now(UTC) + timedelta(days=30)).isoformat(timespec="microseconds")
    await shop.post(f"{path}/grants", json={"amount": 10, "reason": "promo", "expires_at": ends})

    answer = await shop.get(path)

    body = answer.json()
    assert (answer.status_code, body) == (
        200,
        {
            "account_id": "team 3",
            "subscription_status": "free",
            "remaining": 16,
            "total": 16,
            "held": 0,
            "version": 2,
            "unlimited": False,
            "granted_at": body["granted_at"],
            "next_expiry_at": ends.replace("+00:00", "Z"),
            "next_expiry_amount": 10,
            **ACCOUNT_DEFAULTS,
            "grants": [
                {
                    **signup_grant(body["grants"][0]["id"], body["grants"][0]["effective_at"]),
                    "category": "admin",
                    "amount": 10,
                    "remaining": 10,
                    "expires_at": ends.replace("+00:00", "Z"),
                },
                signup_grant(body["grants"][1]["id"], body["granted_at"]),
            ],
            "label": None,
        },
    )


async def test_consume(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A consume returns its transaction and the balance right after it."""
    path = await open_account(shop, "team 4")

    answer = await shop.post(f"{path}/consume", json={"feature": "remove", "generation_id": "g", "metadata": {}})

    query = "SELECT id, metadata FROM credit_transactions WHERE account_id = 'team 4' AND seq = 2"
    ((transaction_id, metadata),) = rows(installation.url, query)
    body = answer.json()
    assert (answer.status_code, metadata, body) == (
        200,
        "{}",
        {
            "transaction_id": transaction_id,
            "account_id": "team 4",
            "feature": "remove",
            "credits_consumed": 1,
            "generation_id": "g",
            "remaining": 5,
            "total": 6,
            "held": 0,
            "subscription_status": "free",
            "version": 2,
            "created_at": body["created_at"],
        },
    )


async def test_grant(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A grant returns the balance after it; the ledger records its terms and the name of the API key."""
    path = await open_account(shop, "team 5")
    grant = {
        "amount": 10,
        "reason": "a referral",
        "category": "promo",
        "priority": 5,
        "effective_at": "2020-01-01T00:00:00+01:00",
        "expires_at": "2999-01-01T00:00:00Z",
        "features": ["video", "sketch"],
        "metadata": {"campaign": "spring"},
    }

    answer = await shop.post(f"{path}/grants", json=grant)

    query = "SELECT id, detail, metadata FROM credit_transactions WHERE account_id = 'team 5' AND seq = 2"
    ((transaction_id, detail, metadata),) = rows(installation.url, query)
    body = answer.json()
    assert (answer.status_code, body) == (
        200,
        {
            "transaction_id": transaction_id,
            "account_id": "team 5",
            "amount": 10,
            "reason": "a referral",
            "remaining": 16,
            "total": 16,
            "held": 0,
            "subscription_status": "free",
            "version": 2,
            "created_at": body["created_at"],
        },
    )
    assert detail == (
        '{"grant":{"amount":10,"category":"promo","effective_at":1577833200000000,"expires_at":32472144000000000,'
        '"priority":5,"features":["video","sketch"]},"actor":"API key shop","reason":"a referral"}'
    )
    assert metadata == '{"campaign":"spring"}'


async def test_grant_with_a_later_effective_time(shop: httpx.AsyncClient) -> None:
    """A grant that takes effect later is not yet in the balance."""
    path = await open_account(shop, "team 6")

    answer = await shop.post(
        f"{path}/grants", json={"amount": 3, "reason": "next year", "effective_at": "2999-01-01T00:00:00Z"}
    )

    body = answer.json()
    assert (answer.status_code, body["amount"], body["remaining"], body["total"]) == (200, 3, 6, 6)


async def test_transactions_have_filters_and_pages(shop: httpx.AsyncClient) -> None:
    """A server reads the history of any account, with the filters and the pages of the user's history."""
    path = await open_account(shop, "team/8")
    for feature in ("video", "sketch", "video"):
        await shop.post(f"{path}/consume", json={"feature": feature})

    first = (await shop.get(f"{path}/transactions", params={"limit": 1, "feature": "video"})).json()
    second = (
        await shop.get(f"{path}/transactions", params={"feature": "video", "cursor": first["next_cursor"]})
    ).json()

    assert [row["seq"] for row in first["transactions"]] == [4]
    assert ([row["seq"] for row in second["transactions"]], second["next_cursor"]) == ([2], None)


@pytest.mark.parametrize("account_id", ODD_IDS)
async def test_account_id_may_have_any_characters(
    installation: Installation, shop: httpx.AsyncClient, account_id: str
) -> None:
    """An id is unchanged in bodies, paths and answers."""
    path = await open_account(shop, account_id)

    used = await shop.post(f"{path}/consume", json={"feature": "video"})
    granted = await shop.post(f"{path}/grants", json={"amount": 2, "reason": "sorry"})
    shown = await shop.get(path)
    listed = await shop.get(f"{path}/transactions")

    assert [answer.status_code for answer in (used, granted, shown, listed)] == [200, 200, 200, 200]
    assert [answer.json()["account_id"] for answer in (used, granted, shown)] == [account_id] * 3
    assert {row["account_id"] for row in listed.json()["transactions"]} == {account_id}
    assert ledger_of(installation.url, account_id) == [(1, "signup", 6, 6), (2, "consume", -1, 5), (3, "grant", 2, 7)]


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("GET", "/transactions", None),
        ("POST", "/consume", {"feature": "video"}),
        ("POST", "/grants", {"amount": 1, "reason": "a gift"}),
        ("POST", "/grants", {"amount": 1, "reason": "a gift", "source_key": "invoice 7"}),
        ("GET", "/transactions/none", None),
        ("POST", "/transactions/none/refund", {}),
        ("POST", "/grants/none/void", {}),
        ("POST", "/adjust", {"amount": 1, "reason": "a gift"}),
        ("GET", "/holds", None),
        ("POST", "/holds", {"feature": "video"}),
        ("POST", "/holds/none/capture", {}),
        ("POST", "/plan", {"plan": "pro"}),
        ("POST", "/plan/cancel", {}),
        ("POST", "/freeze", {}),
        ("POST", "/unfreeze", {}),
        ("POST", "/close", {}),
        ("POST", "/estimate", {"feature": "video"}),
    ],
)
async def test_unknown_account_is_404(shop: httpx.AsyncClient, method: str, rest: str, body: object) -> None:
    """Only POST /v1/accounts makes an account; on other endpoints an unknown id is 404."""
    answer = await shop.request(method, f"/v1/accounts/nobody%2F7{rest}", json=body)

    assert (answer.status_code, answer.json()) == (
        404,
        {
            "type": "about:blank",
            "status": 404,
            "code": "account-not-found",
            "title": "No such account",
            "detail": "There is no account 'nobody/7'. Make it first: initialize_user_credits, or POST /v1/accounts.",
            "account_id": "nobody/7",
        },
    )


async def test_catalog_has_every_default(shop: httpx.AsyncClient) -> None:
    """A server reads the catalog, in which every default is written out."""
    answer = await shop.get("/v1/catalog")

    body = answer.json()
    features = ("interior", "exterior", "sketch", "furnish", "remove", "video")
    assert (answer.status_code, list(body["features"]), list(body["plans"])) == (200, list(features), ["free", "pro"])
    assert {name: body[name] for name in ("version", "default_plan", "decimals", "grace_days")} == {
        "version": 1,
        "default_plan": "free",
        "decimals": 0,
        "grace_days": 30,
    }
    assert body["features"]["video"] == {
        "credits": 1,
        "title": "",
        "unit": "",
        "block": 1,
        "rounding": "up",
        "minimum": 0,
        "tiers": [],
        "models": {},
        "tokens_block": 1_000_000,
    }
    assert body["plans"]["free"] == {
        "rank": 0,
        "signup_credits": 6,
        "unlimited": False,
        "title": "",
        "allowance": 0,
        "period": None,
        "drip": False,
        "rollover": None,
        "trial": None,
        "fair_use": None,
        "overdraft": 0,
    }
