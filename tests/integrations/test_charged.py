"""`charged` on Starlette and on FastAPI: a charge for what succeeded, and nothing for anything else."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request

from tests.http.house import PROBLEM
from tests.integrations.conftest import Studio
from tests.ledger.databases import ledger_of

SIGNED_UP = (1, "signup", 6, 6)


@pytest.mark.parametrize("path", ["/draw", "/plain"])
async def test_success_is_charged(studio: Studio, ada: httpx.AsyncClient, account_id: str, path: str) -> None:
    """What work costs is set aside before it and charged once it is done; a plain function is work, too."""
    answer = await ada.post(path)

    assert (answer.status_code, answer.json(), studio.done) == (200, {"outcome": "200"}, ["200"])
    assert ledger_of(studio.url, account_id) == [SIGNED_UP, (2, "hold", -1, 5), (3, "capture", 0, 5)]


@pytest.mark.parametrize("path", ["/draw", "/plain"])
@pytest.mark.parametrize(
    ("outcome", "status"), [("400", 400), ("404", 404), ("418", 418), ("500", 500), ("503", 503), ("exception", 500)]
)
async def test_failure_costs_nothing(
    studio: Studio, ada: httpx.AsyncClient, account_id: str, path: str, outcome: str, status: int
) -> None:
    """Work that ended with 400 or above, or with an exception, gives back what was set aside for it."""
    answer = await ada.post(path, params={"outcome": outcome})

    assert (answer.status_code, studio.done) == (status, [outcome])
    assert ledger_of(studio.url, account_id) == [SIGNED_UP, (2, "hold", -1, 5), (3, "release", 1, 6)]


async def test_402_comes_before_the_work(studio: Studio, ada: httpx.AsyncClient, account_id: str) -> None:
    """Without credits nothing is done, and the answer says what is missing and where to buy it."""
    for _ in range(6):
        await ada.post("/draw")
    studio.done.clear()

    answer = await ada.post("/draw")

    assert (answer.status_code, answer.headers["content-type"], studio.done) == (402, PROBLEM, [])
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


async def test_a_key_that_is_wrong_comes_before_the_work(studio: Studio, ada: httpx.AsyncClient) -> None:
    """A key that could not be kept is refused before anything is done."""
    answer = await ada.post("/draw", headers={"Idempotency-Key": "k" * 300})

    assert (answer.status_code, answer.json()["field"], studio.done) == (422, "Idempotency-Key", [])


async def test_nobody_draws_without_signing_in(studio: Studio) -> None:
    """Who is calling is checked before the work."""
    answer = await studio.client().post("/draw")

    assert (answer.status_code, answer.json()["code"], studio.done) == (401, "not-signed-in", [])


async def test_another_page_does_not_spend(studio: Studio, ada: httpx.AsyncClient) -> None:
    """A request that another site made the browser send is refused before the work."""
    answer = await ada.post("/draw", headers={"origin": "https://evil.example.com"})

    assert (answer.status_code, answer.json()["code"], studio.done) == (403, "forbidden", [])


async def test_many_at_once_are_not_overdrawn(studio: Studio, ada: httpx.AsyncClient, account_id: str) -> None:
    """Of twenty at once exactly six are charged and answered, whoever had begun to work."""
    answers = await asyncio.gather(*(ada.post("/draw") for _ in range(20)))

    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(200), statuses.count(402)) == (6, 14)
    assert ledger_of(studio.url, account_id)[-1] == (13, "capture", 0, 0)


async def test_an_unlimited_plan_pays_nothing(studio: Studio, ada: httpx.AsyncClient, account_id: str) -> None:
    """On an unlimited plan the use is recorded and costs nothing."""
    await ada.post("/draw")
    await studio.credits.update_subscription_status(account_id, "pro")

    answer = await ada.post("/draw")

    assert answer.status_code == 200
    assert ledger_of(studio.url, account_id)[-2:] == [(5, "hold", 0, 5), (6, "capture", 0, 5)]


async def test_a_function_that_takes_no_request_is_told(studio: Studio) -> None:
    """Without the request nobody could be charged: the message says what to add."""

    @studio.integration.charged("video")
    async def draw() -> None:
        """Takes nothing."""

    with pytest.raises(TypeError) as refused:
        await draw()

    assert str(refused.value) == "draw is charged for, so it must take the request: add `request: Request`"


async def test_an_app_without_the_middleware_is_told(studio: Studio) -> None:
    """Where nobody would settle the charge the work is not begun: the message says what to add."""

    @studio.integration.charged("video")
    async def draw(_request: Request) -> None:
        studio.done.append("drawn")

    with pytest.raises(RuntimeError) as refused:
        await draw(Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []}))

    assert "make the app with `middleware=integration.middleware`" in str(refused.value)
    assert studio.done == []


async def test_a_function_that_yields_is_told(studio: Studio) -> None:
    """FastAPI would make a stream of it behind the decorator's back: it is refused when it is decorated."""

    async def draw(_request: Request) -> AsyncIterator[str]:
        yield "a line"

    with pytest.raises(TypeError) as refused:
        studio.integration.charged("video")(draw)

    assert str(refused.value) == "draw yields its answer, which cannot be charged for: return a stream"
