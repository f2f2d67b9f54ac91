"""The endpoints of a signed-in user, over both databases: credits, consume, history, and the first request."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from tests.http.installation import (
    ACCOUNT_DEFAULTS,
    JSON,
    TRANSACTION_DEFAULTS,
    Installation,
    account_path,
    signup_grant,
    user_id,
)
from tests.ledger.databases import ledger_of, rows

CREDITS = "/api/user/credits"
CONSUME = f"{CREDITS}/consume"
HISTORY = f"{CREDITS}/history"


async def test_get_credits(ada: httpx.AsyncClient) -> None:
    """A new user has the signup credits; the answer may not be cached."""
    answer = await ada.get(CREDITS)

    body = answer.json()
    assert body == {
        "account_id": await user_id(ada),
        "subscription_status": "free",
        "remaining": 6,
        "total": 6,
        "held": 0,
        "version": 1,
        "unlimited": False,
        "granted_at": body["granted_at"],
        "next_expiry_at": None,
        "next_expiry_amount": 0,
        **ACCOUNT_DEFAULTS,
        "grants": [signup_grant(body["grants"][0]["id"], body["granted_at"])],
        "label": None,
    }
    assert abs((datetime.now(UTC) - datetime.fromisoformat(body["granted_at"])).total_seconds()) < 60
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (
        200,
        JSON,
        "no-store",
    )


async def test_consume(installation: Installation, ada: httpx.AsyncClient) -> None:
    """A consume returns its transaction and the balance right after it."""
    account_id = await user_id(ada)

    answer = await ada.post(CONSUME, json={"feature": "sketch", "generation_id": "gen 1", "metadata": {"room": 7}})

    query = "SELECT id, metadata, generation_id FROM credit_transactions WHERE account_id = :id AND seq = 2"
    ((transaction_id, metadata, generation_id),) = rows(installation.url, query, {"id": account_id})
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert body == {
        "transaction_id": transaction_id,
        "account_id": account_id,
        "feature": "sketch",
        "credits_consumed": 1,
        "generation_id": "gen 1",
        "remaining": 5,
        "total": 6,
        "held": 0,
        "subscription_status": "free",
        "version": 2,
        "created_at": body["created_at"],
    }
    assert (metadata, generation_id) == ('{"room":7}', "gen 1")


async def test_consume_needs_only_a_feature(installation: Installation, ada: httpx.AsyncClient) -> None:
    """A field with null is the same as a missing field."""
    answer = await ada.post(CONSUME, json={"feature": "video", "generation_id": None, "metadata": None})

    assert (answer.status_code, answer.json()["generation_id"], answer.json()["remaining"]) == (200, None, 5)


async def test_history(installation: Installation, ada: httpx.AsyncClient) -> None:
    """The history has every transaction with all its fields, newest first."""
    used = (await ada.post(CONSUME, json={"feature": "video", "metadata": {"b": 1, "a": [None, 1.5, "é"]}})).json()

    answer = await ada.get(HISTORY)

    page = answer.json()
    newest, oldest = page["transactions"]
    signup_id = oldest["id"]
    common = {"account_id": await user_id(ada), "held_after": 0, "total_after": 6, "subscription_status": "free"}
    nothing = {"reason": None, "actor": None}
    assert newest == {
        **common,
        **nothing,
        **TRANSACTION_DEFAULTS,
        "price": 1,
        "catalog_version": 1,
        "id": used["transaction_id"],
        "seq": 2,
        "kind": "consume",
        "amount": -1,
        "balance_after": 5,
        "feature_used": "video",
        "credits_consumed": 1,
        "generation_id": None,
        "metadata": {"b": 1, "a": [None, 1.5, "é"]},
        "allocations": [{"grant_id": signup_id, "movement": "consumed", "amount": -1}],
        "created_at": used["created_at"],
    }
    assert oldest == {
        **common,
        **nothing,
        **TRANSACTION_DEFAULTS,
        "price": None,
        "catalog_version": 1,
        "grants": [
            {
                "id": signup_id,
                "amount": 6,
                "category": "signup",
                "priority": 100,
                "effective_at": oldest["created_at"],
                "expires_at": None,
                "features": None,
                "rolled": False,
            }
        ],
        "id": signup_id,
        "seq": 1,
        "kind": "signup",
        "amount": 6,
        "balance_after": 6,
        "feature_used": None,
        "credits_consumed": None,
        "generation_id": None,
        "metadata": None,
        "allocations": [{"grant_id": signup_id, "movement": "granted", "amount": 6}],
        "created_at": oldest["created_at"],
    }
    assert (answer.status_code, page["next_cursor"], list(page)) == (200, None, ["transactions", "next_cursor"])
    assert list(newest["metadata"]) == ["b", "a"]


async def test_pages_have_no_gap_or_overlap(installation: Installation, ada: httpx.AsyncClient) -> None:
    """Following `next_cursor` returns every transaction once, newest first, while further ones are made."""
    for _ in range(4):
        await ada.post(CONSUME, json={"feature": "video"})

    first = (await ada.get(HISTORY, params={"limit": 2})).json()
    await ada.post(CONSUME, json={"feature": "video"})
    second = (await ada.get(HISTORY, params={"limit": 2, "cursor": first["next_cursor"]})).json()
    third = (await ada.get(HISTORY, params={"limit": 2, "cursor": second["next_cursor"]})).json()

    seen = [[row["seq"] for row in page["transactions"]] for page in (first, second, third)]
    assert (seen, third["next_cursor"]) == ([[5, 4], [3, 2], [1]], None)


async def test_page_has_fifty_transactions_by_default(ada: httpx.AsyncClient, shop: httpx.AsyncClient) -> None:
    """Without a limit a page has fifty transactions; the limit may be up to 200."""
    await ada.get(CREDITS)
    grants = f"{account_path(await user_id(ada))}/grants"
    await asyncio.gather(*(shop.post(grants, json={"amount": 1, "reason": "promo"}) for _ in range(60)))

    default = (await ada.get(HISTORY)).json()
    largest = (await ada.get(HISTORY, params={"limit": 200})).json()

    assert [row["seq"] for row in default["transactions"]] == list(range(61, 11, -1))
    assert (len(largest["transactions"]), largest["next_cursor"]) == (61, None)


@pytest.fixture
async def varied(ada: httpx.AsyncClient) -> list[dict[str, str]]:
    """The history of a user with four transactions: signup, video, sketch, video."""
    for feature in ("video", "sketch", "video"):
        await ada.post(CONSUME, json={"feature": feature})
    transactions: list[dict[str, str]] = (await ada.get(HISTORY)).json()["transactions"]
    return transactions


@pytest.mark.parametrize(
    ("params", "seen"),
    [
        ({"feature": "video"}, [4, 2]),
        ({"feature": "interior"}, []),
        ({"feature": "not-in-the-catalog"}, []),
        ({"kind": "signup"}, [1]),
        ({"kind": "consume", "feature": "sketch"}, [3]),
        ({"kind": "consume", "limit": "1"}, [4]),
        ({"since": "1970-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"}, [4, 3, 2, 1]),
        ({"since": "2999-01-01T00:00:00+02:00"}, []),
        ({"until": "2001-01-01T00:00:00Z"}, []),
        ({"cursor": "3"}, [2, 1]),
        ({"cursor": "1"}, []),
        ({"cursor": "999999999999999999"}, [4, 3, 2, 1]),
    ],
)
async def test_history_filters(
    ada: httpx.AsyncClient, varied: list[dict[str, str]], params: dict[str, str], seen: list[int]
) -> None:
    """The filters are feature, kind and time; `since` is included and `until` is excluded."""
    answer = await ada.get(HISTORY, params=params)

    assert (answer.status_code, [row["seq"] for row in answer.json()["transactions"]]) == (200, seen)


async def test_history_period_is_half_open(ada: httpx.AsyncClient, varied: list[dict[str, str]]) -> None:
    """A period from one transaction's time until another's has the first and not the second."""
    times = {row["seq"]: row["created_at"] for row in varied}

    answer = await ada.get(HISTORY, params={"since": times[2], "until": times[4]})  # type: ignore[index]

    assert [row["seq"] for row in answer.json()["transactions"]] == [3, 2]


async def test_concurrent_first_requests_make_one_account(installation: Installation, ada: httpx.AsyncClient) -> None:
    """Two hundred concurrent first requests of a user make one account with one signup grant."""
    account_id = await user_id(ada)
    requests = [
        lambda: ada.get(CREDITS),
        lambda: ada.get(HISTORY),
        lambda: ada.post(CONSUME, json={"feature": "video"}),
        lambda: ada.get(CREDITS),
    ]

    answers = await asyncio.gather(*(requests[number % 4]() for number in range(200)))

    assert {answer.status_code for answer in answers} <= {200, 402}
    assert sum(answer.status_code == 402 for answer in answers) == 44
    assert ledger_of(installation.url, account_id) == [
        (1, "signup", 6, 6),
        *((seq, "consume", -1, 7 - seq) for seq in range(2, 8)),
    ]


async def test_user_reads_why_and_never_who(
    installation: Installation, ada: httpx.AsyncClient, shop: httpx.AsyncClient
) -> None:
    """The user's routes have the reason of a grant and not the operator; a server's routes have both."""
    path = account_path(await user_id(ada))
    await ada.get(CREDITS)
    (await shop.post(f"{path}/grants", json={"amount": 2, "reason": "outage"})).raise_for_status()

    page = (await ada.get(HISTORY)).json()
    statement = (await ada.get(f"{CREDITS}/statement")).json()
    answers = [
        await ada.get(url)
        for url in (
            HISTORY,
            f"{CREDITS}/statement",
            f"{CREDITS}/statement?format=text",
            f"{CREDITS}/statement?format=csv",
            f"{CREDITS}/explain",
        )
    ]
    of_server = [await shop.get(f"{path}/{end}") for end in ("transactions", "statement", "statement?format=csv")]

    assert [("outage" in answer.text, "API key shop" in answer.text) for answer in answers] == [(True, False)] * 5
    assert [("outage" in answer.text, "API key shop" in answer.text) for answer in of_server] == [(True, True)] * 3
    newest, last = page["transactions"][0], statement["movements"][-1]
    assert (newest["actor"], newest["reason"], last["actor"], last["reason"]) == (None, "outage", None, "outage")
    assert statement["proof"] is None
