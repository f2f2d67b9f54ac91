"""Refunds, voids, adjustments and source keys over HTTP, by servers and by operators, over both databases."""

from typing import Any

import httpx
import pytest

from tests.http.installation import Installation, account_path, open_account
from tests.ledger.databases import ledger_of


async def consume(shop: httpx.AsyncClient, path: str) -> str:
    """Spend a credit, and return the id of the transaction."""
    return str(
        (await shop.post(f"{path}/consume", json={"feature": "video"})).raise_for_status().json()["transaction_id"]
    )


async def test_refund(shop: httpx.AsyncClient) -> None:
    """A refund returns its amount and its transaction; the row has the actor, and the key replays the answer."""
    path = await open_account(shop, "refund 1")
    transaction_id = await consume(shop, path)
    request: dict[str, Any] = {"json": {"reason": "empty"}, "headers": {"Idempotency-Key": "k"}}

    answer = await shop.post(f"{path}/transactions/{transaction_id}/refund", **request)
    again = await shop.post(f"{path}/transactions/{transaction_id}/refund", **request)

    body = answer.json()
    assert (answer.status_code, body) == (
        200,
        {
            "transaction_id": body["transaction_id"],
            "account_id": "refund 1",
            "refunded_id": transaction_id,
            "refunded": 1,
            "reason": "empty",
            "remaining": 6,
            "total": 6,
            "held": 0,
            "subscription_status": "free",
            "version": 3,
            "created_at": body["created_at"],
        },
    )
    assert (again.content, again.headers["idempotency-replayed"]) == (answer.content, "true")
    row = (await shop.get(f"{path}/transactions/{body['transaction_id']}")).json()
    facts = {name: row[name] for name in ("kind", "about", "refunded", "actor", "reason", "amount")}
    assert facts == {
        "kind": "refund",
        "about": transaction_id,
        "refunded": 1,
        "actor": "API key shop",
        "reason": "empty",
        "amount": 1,
    }


async def test_refund_of_more_than_was_consumed(shop: httpx.AsyncClient) -> None:
    """The problem has the amount that is left to refund."""
    path = await open_account(shop, "refund 2")
    transaction_id = await consume(shop, path)

    answer = await shop.post(f"{path}/transactions/{transaction_id}/refund", json={"amount": 2})

    assert (answer.status_code, answer.json()["code"], answer.json()["left"]) == (409, "refund-limit", 1)


async def test_void(shop: httpx.AsyncClient) -> None:
    """A void returns the voided amount, the debt and the shortfall; a second void is refused."""
    path = await open_account(shop, "void 1")
    grant = (await shop.post(f"{path}/grants", json={"amount": 4, "reason": "a gift", "priority": 1})).json()
    await consume(shop, path)

    answer = await shop.post(
        f"{path}/grants/{grant['transaction_id']}/void", json={"revoke_spent": True, "reason": "x"}
    )
    again = await shop.post(f"{path}/grants/{grant['transaction_id']}/void", json={})

    body = answer.json()
    facts = {name: body[name] for name in ("grant_id", "voided", "charged_back", "shortfall", "remaining", "reason")}
    assert (answer.status_code, facts) == (
        200,
        {
            "grant_id": grant["transaction_id"],
            "voided": 3,
            "charged_back": 0,
            "shortfall": 1,
            "remaining": 6,
            "reason": "x",
        },
    )
    assert (again.status_code, again.json()["code"]) == (409, "grant-ended")


async def test_adjust(shop: httpx.AsyncClient) -> None:
    """The amount in the answer is positive or negative, as in the request."""
    path = await open_account(shop, "adjust 1")

    answers = [await shop.post(f"{path}/adjust", json={"amount": amount, "reason": "x"}) for amount in (5, -3)]

    assert [(answer.status_code, answer.json()["amount"], answer.json()["remaining"]) for answer in answers] == [
        (200, 5, 11),
        (200, -3, 8),
    ]


async def test_source_key(installation: Installation, shop: httpx.AsyncClient) -> None:
    """A repeated source key returns the first answer's bytes; for another account it is 409 and grants nothing."""
    path, other_path = [await open_account(shop, account_id) for account_id in ("event 1", "event 2")]
    grant = {"amount": 50, "reason": "invoice", "source_key": f"invoice of {installation.url}"}

    first = await shop.post(f"{path}/grants", json=grant)
    again = await shop.post(f"{path}/grants", json=grant)
    refused = await shop.post(f"{other_path}/grants", json=grant)

    assert (first.status_code, again.content, again.headers["idempotency-replayed"]) == (200, first.content, "true")
    assert (refused.status_code, refused.json()["code"], refused.json()["claimed_by"]) == (
        409,
        "source-claimed",
        "event 1",
    )
    assert [len(ledger_of(installation.url, account_id)) for account_id in ("event 1", "event 2")] == [2, 1]


async def test_source_key_of_an_operators_grant(installation: Installation, shop: httpx.AsyncClient) -> None:
    """An operator's grant may have a source key, too."""
    await open_account(shop, "event 3")
    grant = {"user_id": "event 3", "amount": 5, "reason": "a referral", "source_key": "referral 1"}

    answers = [await installation.local_operator().post("/api/admin/credits/grant", json=grant) for _ in range(2)]

    assert [answer.headers.get("idempotency-replayed") for answer in answers] == [None, "true"]
    assert ledger_of(installation.url, "event 3")[-1] == (2, "grant", 5, 11)


async def test_operators_have_the_endpoints_of_servers(installation: Installation, shop: httpx.AsyncClient) -> None:
    """An operator changes any account, whatever its id, and is recorded by name."""
    path = await open_account(shop, "odd/id 100%")
    at = path.replace("/v1/", "/api/admin/")
    transaction_id = await consume(shop, path)
    hold_id = (await shop.post(f"{path}/holds", json={"feature": "video"})).json()["hold_id"]
    operator = await installation.operator()

    requests: list[tuple[str, dict[str, object]]] = [
        (f"transactions/{transaction_id}/refund", {"reason": "empty"}),
        ("adjust", {"amount": 2, "reason": "lost"}),
        (f"holds/{hold_id}/release", {}),
        ("plan", {"plan": "pro"}),
        ("freeze", {}),
        ("close", {}),
    ]
    answers = [await operator.post(f"{at}/{rest}", json=body) for rest, body in requests]

    assert [answer.status_code for answer in answers] == [200] * 6
    history = (await shop.get(f"{path}/transactions")).json()["transactions"]
    actors = {row["kind"]: row["actor"] for row in history}
    assert {actors[kind] for kind in ("refund", "adjust", "plan_change", "freeze", "close")} == {"olga@example.com"}


@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("POST", "/adjust"),
        ("POST", "/holds"),
        ("POST", "/plan"),
        ("POST", "/freeze"),
        ("GET", "/holds"),
        ("POST", "/transactions/t/refund"),
        ("POST", "/grants/g/void"),
    ],
)
async def test_users_are_refused(ada: httpx.AsyncClient, method: str, rest: str) -> None:
    """A user's session is no authorization for these endpoints, not even for the user's own account."""
    own = (await ada.get("/api/user/credits")).json()["account_id"]

    server = await ada.request(method, f"{account_path(own)}{rest}", json={})
    operator = await ada.request(method, f"/api/admin/accounts/{own}{rest}", json={})
    user = await ada.request(method, f"/api/user/credits{rest}", json={})

    assert [answer.status_code for answer in (server, operator, user)] == [401, 403, 404]
    assert (await ada.get("/api/user/credits")).json()["version"] == 1
