"""Usage by day over HTTP: for servers, users and operators, counted by the installation's relay."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from sixpence.core.values.instant import from_wire, to_datetime
from tests.http.installation import PROBLEM, Installation, open_account, open_installation, user_id
from tests.ledger.databases import module_url, run, verify_clean

__all__ = ["module_url"]


@pytest.fixture(scope="module")
async def installation(module_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation with its relay, once over each database."""
    async with open_installation(module_url, tmp_path_factory.mktemp("home"), relay=True) as opened:
        yield opened
    verify_clean(module_url)


async def wait_for_usage(client: httpx.AsyncClient, path: str, uses: int, *, refunded: int = 0) -> dict[str, Any]:
    """The answer once these uses and refunded credits are counted: within a second, or later on a busy machine."""
    for _ in range(400):
        answer = await client.get(path)
        body: dict[str, Any] = answer.raise_for_status().json()
        counted = tuple(sum(day[name] for day in body["days"]) for name in ("uses", "credits_refunded"))
        if counted == (uses, refunded):
            return body
        await asyncio.sleep(0.05)
    raise AssertionError(f"{uses} uses and {refunded} refunded credits are not counted")


async def test_usage_of_an_account(installation: Installation, shop: httpx.AsyncClient) -> None:
    """The whole answer, for an account whose id must be percent-encoded, with `complete_until`."""
    path = await open_account(shop, "team/7 100%")
    for feature in ("video", "video", "sketch"):
        last = await shop.post(f"{path}/consume", json={"feature": feature})
    await shop.post(f"{path}/transactions/{last.json()['transaction_id']}/refund", json={})

    body = await wait_for_usage(shop, f"{path}/usage", 3, refunded=1)

    today = _today()
    complete_until = body.pop("complete_until")
    assert body == {
        "account_id": "team/7 100%",
        "since": (today - timedelta(days=29)).isoformat(),
        "until": (today + timedelta(days=1)).isoformat(),
        "days": [
            {"day": today.isoformat(), "feature": "sketch", "uses": 1, "credits_consumed": 1, "credits_refunded": 1},
            {"day": today.isoformat(), "feature": "video", "uses": 2, "credits_consumed": 2, "credits_refunded": 0},
        ],
    }
    assert to_datetime(from_wire("complete_until", complete_until)) > datetime.now(UTC) - timedelta(seconds=30)


async def test_usage_of_a_period(installation: Installation, shop: httpx.AsyncClient) -> None:
    """`since` is the first day; `until` is excluded."""
    path = await open_account(shop, "team 8")
    await shop.post(f"{path}/consume", json={"feature": "video"})
    await wait_for_usage(shop, f"{path}/usage", 1)
    _move_day(installation.url, "team 8", date(2026, 11, 1))

    november = await shop.get(f"{path}/usage?since=2026-11-01&until=2026-12-01")
    october = await shop.get(f"{path}/usage", params={"since": "2026-10-01", "until": "2026-11-01"})
    _move_day(installation.url, "team 8", _today())  # as in the ledger

    assert [day["day"] for day in november.json()["days"]] == ["2026-11-01"]
    assert (october.json()["days"], october.json()["until"]) == ([], "2026-11-01")


def _move_day(url: str, account_id: str, day: date) -> None:
    number = (day - date(1970, 1, 1)).days
    own = "account_no = (SELECT account_no FROM credit_accounts WHERE account_id = :account_id)"
    run(url, f"UPDATE usage_daily SET day = :day WHERE {own}", {"day": number, "account_id": account_id})


async def test_usage_of_a_user(installation: Installation) -> None:
    """A signed-in user sees their own account's usage."""
    ada = await installation.user("ada-uses@example.com")
    await ada.post("/api/user/credits/consume", json={"feature": "interior"})

    body = await wait_for_usage(ada, "/api/user/credits/usage", 1)

    assert (body["account_id"], body["days"][0]["feature"]) == (await user_id(ada), "interior")


async def test_operator_reads_the_same(installation: Installation, shop: httpx.AsyncClient) -> None:
    """An operator sees the same as a server."""
    path = await open_account(shop, "team 9")
    await shop.post(f"{path}/consume", json={"feature": "video"})
    operator = installation.local_operator()

    body = await wait_for_usage(operator, path.replace("/v1/", "/api/admin/", 1) + "/usage", 1)

    assert body["account_id"] == "team 9"


async def test_usage_without_a_relay(own_installation: Installation) -> None:
    """Without a relay no use is counted, and `complete_until` shows it."""
    shop = await own_installation.server()
    made = await shop.post("/v1/accounts", json={"account_id": "team 11"})
    await shop.post("/v1/accounts/team%2011/consume", json={"feature": "video"})
    granted_at = (await shop.get("/v1/accounts/team%2011")).json()["granted_at"]
    await asyncio.sleep(1.2)

    body = (await shop.get("/v1/accounts/team%2011/usage")).json()

    assert (made.status_code, body["days"], body["complete_until"]) == (201, [], granted_at)


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("since=yesterday", "since", "'yesterday' is not a day. Send one like 2026-11-01."),
        ("since=2026-W01-1", "since", "'2026-W01-1' is not a day. Send one like 2026-11-01."),
        ("until=20261101", "until", "'20261101' is not a day. Send one like 2026-11-01."),
        ("since=2026-02-29", "since", "'2026-02-29' is not a day. Send one like 2026-11-01."),
        (
            "since=2026-11-01T00:00:00Z",
            "since",
            "'2026-11-01T00:00:00Z' is not a day. Send one like 2026-11-01.",
        ),
        ("since=0001-01-01", "since", "0001-01-01 is out of range. Send a day from 1970 on."),
        (
            "since=2024-01-01&until=2025-01-02",
            "since",
            "2024-01-01 is 367 days before until, 2025-01-02. Send 366 days at most.",
        ),
        ("limit=5", "limit", "is not a parameter of this request. Leave it out; known: since, until."),
    ],
)
async def test_invalid_query_is_refused(shop: httpx.AsyncClient, query: str, field: str, problem: str) -> None:
    """The problem names the parameter."""
    path = await open_account(shop, "team 10")

    answer = await shop.get(f"{path}/usage?{query}")

    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"], body["code"]) == (422, PROBLEM, "invalid-input")
    assert (body["field"], body["detail"]) == (field, f"{field}: {problem}")


async def test_unauthorized_or_unknown(installation: Installation, shop: httpx.AsyncClient) -> None:
    """Without a key or a session it is 401; an unknown account is 404."""
    stranger = installation.client()

    answers = [
        await stranger.get("/v1/accounts/a/usage?since=yesterday"),
        await stranger.get("/api/user/credits/usage?since=yesterday"),
        await stranger.get("/api/admin/accounts/a/usage"),
        await shop.get("/v1/accounts/nobody/usage"),
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        (401, "invalid-api-key"),
        (401, "not-signed-in"),
        (401, "not-signed-in"),
        (404, "account-not-found"),
    ]


def _today() -> date:
    return datetime.now(UTC).date()
