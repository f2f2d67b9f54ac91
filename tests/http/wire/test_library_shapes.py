"""What the library returns has the shape that HTTP has: `to_wire`, and the 402 of `problem`, over both databases.

Each change is made over HTTP with a key and repeated in the library with the same key.
"""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sixpence import CreditService, InsufficientCreditsError
from tests.http.installation import Installation, open_account

LISTED = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def library(installation: Installation) -> AsyncIterator[CreditService]:
    """The library on the database of the installation."""
    async with CreditService(installation.url) as credits:
        yield credits


async def post(shop: httpx.AsyncClient, path: str, key: str, **body: Any) -> Any:
    """The body of the answer to a change."""
    answer = await shop.post(path, json=body, headers={"Idempotency-Key": key})
    return answer.raise_for_status().json()


async def get(shop: httpx.AsyncClient, path: str, **query: str) -> Any:
    """The body of the answer to a read."""
    return (await shop.get(path, params=query)).raise_for_status().json()


async def test_changes_have_the_shape_of_http(shop: httpx.AsyncClient, library: CreditService) -> None:
    """Every change that HTTP answers has the same plain data in the library."""
    name = "changes@example.com"
    path = await open_account(shop, name)
    given = await post(shop, f"{path}/grants", "grant", amount=5, reason="outage")
    used = await post(shop, f"{path}/consume", "consume", feature="interior", generation_id="g 1")
    held = await post(shop, f"{path}/holds", "hold", feature="video")
    longer = await post(shop, f"{path}/holds/{held['hold_id']}/extend", "extend", ttl_seconds=900)
    captured = await post(shop, f"{path}/holds/{held['hold_id']}/capture", "capture")
    other = await post(shop, f"{path}/holds", "other", feature="video")
    released = await post(shop, f"{path}/holds/{other['hold_id']}/release", "release")
    refunded = await post(shop, f"{path}/transactions/{used['transaction_id']}/refund", "refund")
    lowered = await post(shop, f"{path}/adjust", "adjust", amount=-2, reason="typo")
    voided = await post(shop, f"{path}/grants/{given['transaction_id']}/void", "void", reason="typo")
    planned = await post(shop, f"{path}/plan", "plan", plan="pro", reason="a gift")
    frozen = await post(shop, f"{path}/freeze", "freeze", reason="a question")

    hold_id, grant_id = held["hold_id"], given["transaction_id"]
    by: dict[str, Any] = {"actor": (await library.get_transaction(name, grant_id)).actor}
    results: list[Any] = [
        await library.grant_credits(name, 5, reason="outage", idempotency_key="grant", **by),
        await library.consume_credit(name, "interior", generation_id="g 1", idempotency_key="consume"),
        await library.place_hold(name, "video", idempotency_key="hold"),
        await library.extend_hold(name, hold_id, ttl_seconds=900, idempotency_key="extend"),
        await library.capture_hold(name, hold_id, idempotency_key="capture"),
        await library.release_hold(name, other["hold_id"], idempotency_key="release"),
        await library.refund(name, used["transaction_id"], idempotency_key="refund", **by),
        await library.adjust(name, -2, reason="typo", idempotency_key="adjust", **by),
        await library.void_grant(name, grant_id, reason="typo", idempotency_key="void", **by),
        await library.update_subscription_status(name, "pro", reason="a gift", idempotency_key="plan", **by),
        await library.freeze_account(name, reason="a question", idempotency_key="freeze", **by),
    ]

    answers = [given, used, held, longer, captured, released, refunded, lowered, voided, planned, frozen]
    assert [result.to_wire() for result in results] == answers
    assert [result.replayed for result in results] == [True] * len(results)
    assert lowered["amount"] == -2
    assert [json.loads(json.dumps(dict(result))) for result in results] == answers


async def test_reads_have_the_shape_of_http(shop: httpx.AsyncClient, library: CreditService) -> None:
    """Every read that HTTP answers has the same plain data in the library."""
    name = "reads@example.com"
    path = await open_account(shop, name)
    await post(shop, f"{path}/consume", "consume", feature="interior")
    held = await post(shop, f"{path}/holds", "hold", feature="video")
    at, period = "2026-01-01T00:00:00Z", {"since": "2026-01-01T00:00:00Z", "until": "2026-01-02T00:00:00Z"}
    second_day = LISTED.replace(day=2)

    results = [
        await library.initialize_user_credits(name),
        await library.get_user_credits(name),
        await library.get_credit_history(name),
        await library.get_transaction(name, held["transaction_id"]),
        await library.balance_at(name, LISTED),
        await library.get_statement(name, since=LISTED, until=second_day),
        await library.explain_transaction(name, held["transaction_id"]),
        await library.explain_account(name),
        await library.get_catalog(),
        await library.estimate("video"),
    ]

    assert [result.to_wire() for result in results] == [
        (await shop.post("/v1/accounts", json={"account_id": name})).raise_for_status().json(),
        await get(shop, path),
        await get(shop, f"{path}/transactions"),
        await get(shop, f"{path}/transactions/{held['transaction_id']}"),
        await get(shop, f"{path}/balance", at=at),
        await get(shop, f"{path}/statement", **period),
        await get(shop, f"{path}/transactions/{held['transaction_id']}/explain"),
        await get(shop, f"{path}/explain"),
        await get(shop, "/v1/catalog"),
        await get(shop, "/v1/estimate", feature="video"),
    ]
    holds = [hold.to_wire() for hold in await library.list_holds(name)]
    assert {"holds": holds} == await get(shop, f"{path}/holds")
    assert len(holds) == 1


async def test_refusal_for_too_few_credits_has_the_shape_of_http(
    shop: httpx.AsyncClient, library: CreditService
) -> None:
    """An app's own handler answers with `problem` what HTTP answers."""
    name = "refused@example.com"
    path = await open_account(shop, name)
    await post(shop, f"{path}/adjust", "adjust", amount=-6, reason="none left")

    answer = await shop.post(f"{path}/consume", json={"feature": "video"})
    with pytest.raises(InsufficientCreditsError) as refused:
        await library.consume_credit(name, "video")

    offers = (await library.get_catalog()).catalog.offers()
    body = refused.value.problem(upgrade_url="/upgrade", offers=offers)
    assert (answer.status_code, answer.json()) == (402, body)
    names = {"code", "detail", "feature", "required", "remaining", "available", "held", "upgrade_url", "offers"}
    assert names <= body.keys()
    assert (body["code"], body["required"], body["available"], body["offers"]) == (
        "insufficient-credits",
        1,
        0,
        [{"plan": "pro", "title": "Pro", "unlimited": True}],
    )
