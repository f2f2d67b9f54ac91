"""Idempotency keys over HTTP, over both databases: a replay is equal byte for byte, another request is a conflict."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.http.installation import Installation, account_path, open_account, user_id
from tests.ledger.databases import ledger_of, rows

CHANGES: Mapping[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "consume": ("/consume", {"feature": "video", "metadata": {"a": 1, "b": 2}}, {"feature": "sketch"}),
    "grant": ("/grants", {"amount": 5, "reason": "a gift"}, {"amount": 6, "reason": "a gift"}),
    "hold": ("/holds", {"feature": "video", "ttl_seconds": 60}, {"feature": "video"}),
    "adjust": ("/adjust", {"amount": -2, "reason": "counted twice"}, {"amount": -3, "reason": "counted twice"}),
    "plan": ("/plan", {"plan": "pro"}, {"plan": "free"}),
    "cancel": ("/plan/cancel", {"reason": "left"}, {"reason": "gone"}),
    "unfreeze": ("/unfreeze", {}, {"reason": "gone"}),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_repeated_key_returns_the_first_answer(
    installation: Installation, shop: httpx.AsyncClient, change: str
) -> None:
    """The same key and request return the same bytes, marked as a replay, whatever has happened since."""
    path = await open_account(shop, f"replay {change}")
    rest, body, _ = CHANGES[change]
    key = {"Idempotency-Key": "key 1"}

    first = await shop.post(path + rest, json=body, headers=key)
    await shop.post(f"{path}/consume", json={"feature": "remove"})
    again = await shop.post(path + rest, json=body, headers=key)

    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert len(ledger_of(installation.url, f"replay {change}")) == 3


@pytest.mark.parametrize("change", CHANGES)
async def test_key_of_another_request_is_refused(
    installation: Installation, shop: httpx.AsyncClient, change: str
) -> None:
    """The same key with another request is 422, and changes nothing."""
    path = await open_account(shop, f"conflict {change}")
    rest, body, other = CHANGES[change]
    key = {"Idempotency-Key": "key 1"}
    await shop.post(path + rest, json=body, headers=key)
    before = ledger_of(installation.url, f"conflict {change}")

    refused = await shop.post(path + rest, json=other, headers=key)

    assert (refused.status_code, refused.json()) == (
        422,
        {
            "type": "about:blank",
            "status": 422,
            "code": "idempotency-conflict",
            "title": "The idempotency key belongs to another request",
            "detail": "Idempotency key 'key 1' was used for another request. "
            "Send that request again, or use a new key.",
            "idempotency_key": "key 1",
        },
    )
    assert ledger_of(installation.url, f"conflict {change}") == before


async def test_making_an_account_under_a_key_replays_201(shop: httpx.AsyncClient) -> None:
    """The request that made an account is answered with 201 whenever it is repeated under its key."""
    key = {"Idempotency-Key": "made"}
    body = {"account_id": "made under a key", "label": "Team"}

    first = await shop.post("/v1/accounts", json=body, headers=key)
    again = await shop.post("/v1/accounts", json=body, headers=key)

    assert (first.status_code, again.status_code, again.content) == (201, 201, first.content)
    assert again.headers["idempotency-replayed"] == "true"


async def test_key_belongs_to_its_account(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Two accounts may use the same key for their own changes."""
    paths = [await open_account(shop, account_id) for account_id in ("keys a", "keys b")]

    answers = [
        await shop.post(f"{path}/consume", json={"feature": "video"}, headers={"Idempotency-Key": "same"})
        for path in paths
    ]

    assert [(answer.status_code, answer.json()["account_id"]) for answer in answers] == [
        (200, "keys a"),
        (200, "keys b"),
    ]


async def test_replay_may_have_fields_in_another_order(shop: httpx.AsyncClient) -> None:
    """A retry with its fields in another order, and null for absent ones, is a replay."""
    path = await open_account(shop, "order")
    key = {"Idempotency-Key": "order"}

    first = await shop.post(f"{path}/consume", json={"feature": "video", "metadata": {"a": 1}}, headers=key)
    again = await shop.post(
        f"{path}/consume", json={"metadata": {"a": 1}, "generation_id": None, "feature": "video"}, headers=key
    )

    assert (again.status_code, again.content) == (200, first.content)


async def test_fifty_concurrent_requests_under_one_key_charge_once(
    installation: Installation, ada: httpx.AsyncClient
) -> None:
    """Fifty concurrent requests of a user under one key are one charge and fifty equal answers."""
    key = {"Idempotency-Key": "fifty"}

    answers = await asyncio.gather(
        *(ada.post("/api/user/credits/consume", json={"feature": "video"}, headers=key) for _ in range(50))
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 49
    assert ledger_of(installation.url, await user_id(ada)) == [(1, "signup", 6, 6), (2, "consume", -1, 5)]


async def test_refusal_is_not_stored_under_the_key(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A use refused for lack of credits succeeds under the same key once there are credits."""
    path = await open_account(shop, "topped up")
    for _ in range(6):
        await shop.post(f"{path}/consume", json={"feature": "video"})
    use = {"json": {"feature": "video"}, "headers": {"Idempotency-Key": "again"}}
    refused = await shop.post(f"{path}/consume", **use)  # type: ignore[arg-type]
    await shop.post(f"{path}/grants", json={"amount": 1, "reason": "a gift"})

    accepted = await shop.post(f"{path}/consume", **use)  # type: ignore[arg-type]

    assert (refused.status_code, accepted.status_code) == (402, 200)
    assert "idempotency-replayed" not in accepted.headers
    query = "SELECT count(*) FROM credit_transactions WHERE idempotency_key = 'again'"
    assert rows(installation.url, query) == [(1,)]


async def test_each_request_without_a_key_is_charged(shop: httpx.AsyncClient) -> None:
    """A generation id is not a key: two equal requests are two uses."""
    path = await open_account(shop, "no key")
    body = {"feature": "video", "generation_id": "gen 1"}

    await shop.post(f"{path}/consume", json=body)
    await shop.post(f"{path}/consume", json=body)

    assert (await shop.get(account_path("no key"))).json()["remaining"] == 4


async def test_space_around_a_key_is_ignored(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A client or a proxy may pad the header: the key is the same, and the retry is not charged."""
    path = await open_account(shop, "padded")
    keys = [b"key 1", b"key 1 ", b"\tkey 1\t", b"  key 1"]

    answers = [
        await shop.post(f"{path}/consume", json={"feature": "video"}, headers=[(b"idempotency-key", key)])
        for key in keys
    ]

    assert {answer.content for answer in answers} == {answers[0].content}
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len(ledger_of(installation.url, "padded")) == 2
