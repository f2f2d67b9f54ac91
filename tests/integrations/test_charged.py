"""`charged` on Starlette and on FastAPI: work that succeeds is charged, and nothing else."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request

from tests.http.installation import PROBLEM
from tests.integrations.conftest import ChargingApp
from tests.ledger.databases import ledger_of

SIGNED_UP = (1, "signup", 6, 6)


@pytest.mark.parametrize("path", ["/draw", "/plain"])
async def test_success_is_charged(
    charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str, path: str
) -> None:
    """The price is set aside before the work and charged after it, also for a plain function."""
    answer = await ada.post(path)

    assert (answer.status_code, answer.json(), charging_app.done) == (200, {"outcome": "200"}, ["200"])
    assert ledger_of(charging_app.url, account_id) == [SIGNED_UP, (2, "hold", -1, 5), (3, "capture", 0, 5)]


@pytest.mark.parametrize("path", ["/draw", "/plain"])
@pytest.mark.parametrize(
    ("outcome", "status"), [("400", 400), ("404", 404), ("418", 418), ("500", 500), ("503", 503), ("exception", 500)]
)
async def test_failure_costs_nothing(
    charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str, path: str, outcome: str, status: int
) -> None:
    """Work that ends with 400 or above, or with an exception, releases its hold."""
    answer = await ada.post(path, params={"outcome": outcome})

    assert (answer.status_code, charging_app.done) == (status, [outcome])
    assert ledger_of(charging_app.url, account_id) == [SIGNED_UP, (2, "hold", -1, 5), (3, "release", 1, 6)]


async def test_402_comes_before_work(charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str) -> None:
    """Without credits no work is done, and the response has the shortfall and where to buy."""
    for _ in range(6):
        await ada.post("/draw")
    charging_app.done.clear()

    answer = await ada.post("/draw")

    assert (answer.status_code, answer.headers["content-type"], charging_app.done) == (402, PROBLEM, [])
    assert answer.json() == {
        "type": "about:blank",
        "status": 402,
        "code": "insufficient-credits",
        "title": "Not enough credits",
        "detail": "Not enough credits: 'video' costs 1 and 0 can be spent on it. "
        "Top up or change the plan, then send the same request again.",
        "feature": "video",
        "required": 1,
        "remaining": 0,
        "available": 0,
        "shortfall": 1,
        "held": 0,
        "scheduled": 0,
        "next_allowance_at": None,
        "upgrade_url": "https://app.example.com/buy",
        "offers": [{"plan": "pro", "title": "Pro", "unlimited": True}],
    }


async def test_invalid_key_is_refused_before_work(charging_app: ChargingApp, ada: httpx.AsyncClient) -> None:
    """A key that is too long is refused before any work is done."""
    answer = await ada.post("/draw", headers={"Idempotency-Key": "k" * 300})

    assert (answer.status_code, answer.json()["field"], charging_app.done) == (422, "Idempotency-Key", [])


async def test_request_without_session_is_refused_before_work(charging_app: ChargingApp) -> None:
    """The session is checked before the work."""
    answer = await charging_app.client().post("/draw")

    assert (answer.status_code, answer.json()["code"], charging_app.done) == (401, "not-signed-in", [])


async def test_request_of_another_origin_is_refused_before_work(
    charging_app: ChargingApp, ada: httpx.AsyncClient
) -> None:
    """A request that another site made the browser send is refused before the work."""
    answer = await ada.post("/draw", headers={"origin": "https://evil.example.com"})

    assert (answer.status_code, answer.json()["code"], charging_app.done) == (403, "forbidden", [])


async def test_concurrent_requests_do_not_overdraw(
    charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str
) -> None:
    """Of twenty concurrent requests exactly six are charged and succeed."""
    answers = await asyncio.gather(*(ada.post("/draw") for _ in range(20)))

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(402)) == (6, 14)
    assert ledger_of(charging_app.url, account_id)[-1] == (13, "capture", 0, 0)


async def test_unlimited_plan_pays_nothing(charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str) -> None:
    """On an unlimited plan the use is recorded and costs nothing."""
    await ada.post("/draw")
    await charging_app.credits.update_subscription_status(account_id, "pro")

    answer = await ada.post("/draw")

    assert answer.status_code == 200
    assert ledger_of(charging_app.url, account_id)[-2:] == [(5, "hold", 0, 5), (6, "capture", 0, 5)]


async def test_endpoint_without_request_parameter_raises(charging_app: ChargingApp) -> None:
    """The request is needed to find the user: the message has the parameter to add."""

    @charging_app.integration.charged("video")
    async def draw() -> None:
        """Takes nothing."""

    with pytest.raises(TypeError) as refused:
        await draw()

    assert str(refused.value) == "draw is charged for, so it must take the request: add `request: Request`"


async def test_app_without_middleware_raises_before_work(charging_app: ChargingApp) -> None:
    """Without the middleware no charge would be captured: the message has what to add."""

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> None:
        charging_app.done.append("drawn")

    with pytest.raises(RuntimeError) as refused:
        await draw(Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}))

    assert "make the app with `middleware=integration.middleware`" in str(refused.value)
    assert charging_app.done == []


async def test_generator_endpoint_is_refused(charging_app: ChargingApp) -> None:
    """FastAPI would make a stream of it outside the decorator, so it is refused when it is decorated."""

    async def draw(_request: Request) -> AsyncIterator[str]:
        yield "a line"

    with pytest.raises(TypeError) as refused:
        charging_app.integration.charged("video")(draw)

    assert str(refused.value) == "draw yields its response and cannot be charged for: return a stream"
