"""Holds over the wire, over both databases: whole answers, and the same bytes again under a key."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.http.house import House, open_account
from tests.ledger.databases import ledger_of, rows


def balance(account_id: str, *, remaining: int, held: int, version: int) -> dict[str, Any]:
    """The balance that every change answers with."""
    return {
        "account_id": account_id,
        "remaining": remaining,
        "total": 6,
        "held": held,
        "subscription_status": "free",
        "version": version,
    }


async def placed(shop: httpx.AsyncClient, path: str, **more: Any) -> str:
    """Place a hold and give the path that stands for it."""
    answer = await shop.post(f"{path}/holds", json={"feature": "video", **more})
    return f"{path}/holds/{answer.raise_for_status().json()['hold_id']}"


async def test_placing(house: House, shop: httpx.AsyncClient) -> None:
    """A hold answers with its id, what is set aside and until when."""
    path = await open_account(shop, "hold/1")

    answer = await shop.post(f"{path}/holds", json={"feature": "video", "units": 4, "generation_id": "g"})

    body = answer.json()
    ((transaction_id,),) = rows(house.url, "SELECT id FROM credit_transactions WHERE account_id='hold/1' AND seq=2")
    assert (answer.status_code, body) == (
        200,
        {
            **balance("hold/1", remaining=2, held=4, version=2),
            "transaction_id": transaction_id,
            "hold_id": transaction_id,
            "feature": "video",
            "amount": 4,
            "price": 4,
            "covered": False,
            "expires_at": body["expires_at"],
            "generation_id": "g",
            "created_at": body["created_at"],
        },
    )
    lives = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["created_at"])
    assert lives.total_seconds() == 600


async def test_listing(shop: httpx.AsyncClient) -> None:
    """Open holds are listed; an account without any has an empty list."""
    path = await open_account(shop, "hold 2")
    empty = await shop.get(f"{path}/holds")
    hold = await placed(shop, path, amount=3)

    listed = await shop.get(f"{path}/holds", params={"limit": 1})

    (shown,) = listed.json()["holds"]
    assert (empty.status_code, empty.json()) == (200, {"holds": []})
    assert shown == {
        "id": hold.rpartition("/")[2],
        "feature": "video",
        "amount": 3,
        "price": 3,
        "usage": None,
        "covered": False,
        "subscription_status": "free",
        "catalog_version": 1,
        "expires_at": shown["expires_at"],
    }


async def test_capturing(shop: httpx.AsyncClient) -> None:
    """A capture answers with what was charged and what came back."""
    path = await open_account(shop, "hold 3")
    hold = await placed(shop, path, amount=4)

    answer = await shop.post(f"{hold}/capture", json={"units": 1, "generation_id": "g"})

    body = answer.json()
    assert (answer.status_code, body) == (
        200,
        {
            **balance("hold 3", remaining=5, held=0, version=3),
            "transaction_id": body["transaction_id"],
            "hold_id": hold.rpartition("/")[2],
            "feature": "video",
            "credits_consumed": 1,
            "shortfall": 0,
            "released": 3,
            "late": False,
            "generation_id": "g",
            "created_at": body["created_at"],
        },
    )


async def test_capturing_more_than_there_is(shop: httpx.AsyncClient) -> None:
    """Exact, it is 402 with what is held; up to what is available, it is charged with a shortfall."""
    path = await open_account(shop, "hold 4")
    hold = await placed(shop, path)

    refused = await shop.post(f"{hold}/capture", json={"amount": 10})
    charged = await shop.post(f"{hold}/capture", json={"amount": 10, "mode": "up_to_available"})

    facts = {name: refused.json()[name] for name in ("code", "required", "available", "held", "shortfall")}
    assert (refused.status_code, facts) == (
        402,
        {"code": "insufficient-credits", "required": 10, "available": 6, "held": 1, "shortfall": 4},
    )
    assert (charged.status_code, charged.json()["credits_consumed"], charged.json()["shortfall"]) == (200, 6, 4)


async def test_releasing_and_extending(house: House, shop: httpx.AsyncClient) -> None:
    """A hold lives longer, then everything comes back; a hold that has ended says how and when."""
    path = await open_account(shop, "hold 5")
    hold = await placed(shop, path, ttl_seconds=60)

    extended = await shop.post(f"{hold}/extend", json={"ttl_seconds": 3_600})
    released = await shop.post(f"{hold}/release", json={"reason": "the model is away"})
    ended = await shop.post(f"{hold}/capture", json={})

    lives = datetime.fromisoformat(extended.json()["expires_at"]) - datetime.fromisoformat(
        extended.json()["created_at"]
    )
    assert (extended.status_code, lives.total_seconds()) == (200, 3_600)
    told = {name: released.json()[name] for name in ("released", "reason", "remaining", "held")}
    assert (released.status_code, told) == (
        200,
        {"released": 1, "reason": "the model is away", "remaining": 6, "held": 0},
    )
    assert (ended.status_code, ended.json()["code"], ended.json()["state"]) == (409, "hold-ended", "released")
    assert ended.json()["ended_at"] == released.json()["created_at"]
    assert [kind for _, kind, _, _ in ledger_of(house.url, "hold 5")] == ["signup", "hold", "hold_extend", "release"]


@pytest.mark.parametrize(
    ("rest", "body", "other"),
    [
        ("capture", {"amount": 1}, {"amount": 2}),
        ("capture", {"amount": 1}, {"amount": 1, "mode": "exact"}),
        ("capture", {"amount": 1}, {"units": 1}),
        ("capture", {}, {"late": True}),
        ("release", {"reason": "a"}, {"reason": "b"}),
        ("extend", {"ttl_seconds": 900}, {"ttl_seconds": 901}),
    ],
)
async def test_a_repeated_key(shop: httpx.AsyncClient, rest: str, body: dict[str, Any], other: dict[str, Any]) -> None:
    """What was done to a hold under a key is answered in the same bytes again, and nothing else is done under it."""
    path = await open_account(shop, f"hold key {rest} {other}")
    hold = await placed(shop, path)
    key = {"Idempotency-Key": "k"}

    first = await shop.post(f"{hold}/{rest}", json=body, headers=key)
    again = await shop.post(f"{hold}/{rest}", json=body, headers=key)
    conflict = await shop.post(f"{hold}/{rest}", json=other, headers=key)
    elsewhere = await shop.post(f"{await placed(shop, path)}/{rest}", json=body, headers=key)

    assert (first.status_code, again.content, again.headers["idempotency-replayed"]) == (200, first.content, "true")
    assert [answer.json()["code"] for answer in (conflict, elsewhere)] == ["idempotency-conflict"] * 2
