"""Holds over HTTP, over both databases: whole answers, and replays that are equal byte for byte."""

from datetime import datetime
from typing import Any

import httpx
import pytest

from tests.http.installation import Installation, open_account
from tests.ledger.databases import ledger_of, rows


def balance(account_id: str, *, remaining: int, held: int, version: int) -> dict[str, Any]:
    """The fields of the balance in the answer to every change."""
    return {
        "account_id": account_id,
        "remaining": remaining,
        "total": 6,
        "held": held,
        "subscription_status": "free",
        "version": version,
    }


async def place_hold(shop: httpx.AsyncClient, path: str, **more: Any) -> str:
    """Place a hold, and return its path."""
    answer = await shop.post(f"{path}/holds", json={"feature": "video", **more})
    return f"{path}/holds/{answer.raise_for_status().json()['hold_id']}"


async def test_place_hold(installation: Installation, shop: httpx.AsyncClient) -> None:
    """The answer has the id of the hold, its amount and its expiry."""
    path = await open_account(shop, "hold/1")

    answer = await shop.post(f"{path}/holds", json={"feature": "video", "units": 4, "generation_id": "g"})

    body = answer.json()
    ((transaction_id,),) = rows(
        installation.url, "SELECT id FROM credit_transactions WHERE account_id='hold/1' AND seq=2"
    )
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
    lifetime = datetime.fromisoformat(body["expires_at"]) - datetime.fromisoformat(body["created_at"])
    assert lifetime.total_seconds() == 600


async def test_list_holds(shop: httpx.AsyncClient) -> None:
    """Open holds are listed; an account without holds has an empty list."""
    path = await open_account(shop, "hold 2")
    empty = await shop.get(f"{path}/holds")
    hold = await place_hold(shop, path, amount=3)

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


async def test_capture_hold(shop: httpx.AsyncClient) -> None:
    """The answer has the charged and the released amount."""
    path = await open_account(shop, "hold 3")
    hold = await place_hold(shop, path, amount=4)

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


async def test_capture_more_than_available(shop: httpx.AsyncClient) -> None:
    """An exact capture is 402 with the held amount; `up_to_available` charges with a shortfall."""
    path = await open_account(shop, "hold 4")
    hold = await place_hold(shop, path)

    refused = await shop.post(f"{hold}/capture", json={"amount": 10})
    charged = await shop.post(f"{hold}/capture", json={"amount": 10, "mode": "up_to_available"})

    facts = {name: refused.json()[name] for name in ("code", "required", "available", "held", "shortfall")}
    assert (refused.status_code, facts) == (
        402,
        {"code": "insufficient-credits", "required": 10, "available": 6, "held": 1, "shortfall": 4},
    )
    assert (charged.status_code, charged.json()["credits_consumed"], charged.json()["shortfall"]) == (200, 6, 4)


async def test_extend_and_release_hold(installation: Installation, shop: httpx.AsyncClient) -> None:
    """An extended hold expires later; a release returns everything; a capture after it is refused with the end."""
    path = await open_account(shop, "hold 5")
    hold = await place_hold(shop, path, ttl_seconds=60)

    extended = await shop.post(f"{hold}/extend", json={"ttl_seconds": 3_600})
    released = await shop.post(f"{hold}/release", json={"reason": "the model is away"})
    ended = await shop.post(f"{hold}/capture", json={})

    lifetime = datetime.fromisoformat(extended.json()["expires_at"]) - datetime.fromisoformat(
        extended.json()["created_at"]
    )
    assert (extended.status_code, lifetime.total_seconds()) == (200, 3_600)
    facts = {name: released.json()[name] for name in ("released", "reason", "remaining", "held")}
    assert (released.status_code, facts) == (
        200,
        {"released": 1, "reason": "the model is away", "remaining": 6, "held": 0},
    )
    assert (ended.status_code, ended.json()["code"], ended.json()["state"]) == (409, "hold-ended", "released")
    assert ended.json()["ended_at"] == released.json()["created_at"]
    assert [kind for _, kind, _, _ in ledger_of(installation.url, "hold 5")] == [
        "signup",
        "hold",
        "hold_extend",
        "release",
    ]


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
async def test_repeated_key_replays_the_change_of_a_hold(
    shop: httpx.AsyncClient, rest: str, body: dict[str, Any], other: dict[str, Any]
) -> None:
    """The same key replays the change byte for byte; another request or another hold is a conflict."""
    path = await open_account(shop, f"hold key {rest} {other}")
    hold = await place_hold(shop, path)
    key = {"Idempotency-Key": "k"}

    first = await shop.post(f"{hold}/{rest}", json=body, headers=key)
    again = await shop.post(f"{hold}/{rest}", json=body, headers=key)
    conflict = await shop.post(f"{hold}/{rest}", json=other, headers=key)
    other_hold = await shop.post(f"{await place_hold(shop, path)}/{rest}", json=body, headers=key)

    assert (first.status_code, again.content, again.headers["idempotency-replayed"]) == (200, first.content, "true")
    assert [answer.json()["code"] for answer in (conflict, other_hold)] == ["idempotency-conflict"] * 2
