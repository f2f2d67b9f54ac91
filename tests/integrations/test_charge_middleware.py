"""The final status decides: statuses set outside the endpoint, refused captures, and middleware in between."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.http.installation import PROBLEM, SITE
from tests.integrations.asgi_browser import AsgiBrowser
from tests.integrations.conftest import ChargingApp
from tests.ledger.databases import ledger_of, rows

HELD = [(1, "signup", 6, 6), (2, "hold", -1, 5)]
CAPTURED, RELEASED = [*HELD, (3, "capture", 0, 5)], [*HELD, (3, "release", 1, 6)]


def fastapi_app(charging_app: ChargingApp) -> FastAPI:
    """An app in which FastAPI sets the status of the response."""
    charged = charging_app.integration.charged("video")
    app = FastAPI(
        exception_handlers=charging_app.integration.exception_handlers, middleware=charging_app.integration.middleware
    )

    @app.post("/injected")
    @charged
    async def injected(request: Request, response: Response, status: int) -> Any:
        response.status_code = status
        return {"status": status}

    @app.post("/declared", status_code=502)
    @charged
    async def declared(request: Request) -> Any:
        return {}

    @app.post("/created", status_code=201)
    @charged
    async def created(request: Request) -> Any:
        return {}

    @app.post("/unwritable", response_model=int)
    @charged
    async def unwritable(request: Request) -> Any:
        return {"not": "a number"}

    @app.middleware("http")
    async def odd(request: Request, call_next: Any) -> Response:
        answer: Response = await call_next(request)
        return Response(status_code=503) if request.url.path == "/overruled" else answer

    # FastAPI puts a later middleware around the earlier ones: make the charge middleware the outermost again.
    app.user_middleware.reverse()

    @app.post("/overruled")
    @charged
    async def overruled(request: Request) -> Any:
        return {}

    return app


@pytest.mark.parametrize("charging_app", ["fastapi"], indirect=True)
@pytest.mark.parametrize(
    ("path", "status", "ledger"),
    [
        ("/injected?status=503", 503, RELEASED),
        ("/injected?status=400", 400, RELEASED),
        ("/injected?status=399", 399, CAPTURED),
        ("/declared", 502, RELEASED),
        ("/unwritable", 500, RELEASED),
        ("/overruled", 503, RELEASED),
        ("/created", 201, CAPTURED),
    ],
)
async def test_final_status_decides(
    charging_app: ChargingApp, ada: httpx.AsyncClient, account_id: str, path: str, status: int, ledger: list[Any]
) -> None:
    """A failure costs nothing, wherever its status was set; a success is charged, whatever its status is."""
    transport = httpx.ASGITransport(fastapi_app(charging_app), raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=ada.headers, cookies=ada.cookies) as page:
        answer = await page.post(path)

    assert (answer.status_code, ledger_of(charging_app.url, account_id)) == (status, ledger)


async def nothing_between(request: Request, call_next: Any) -> Response:
    """A middleware that makes a stream of every response, as Starlette's `BaseHTTPMiddleware` does."""
    answer: Response = await call_next(request)
    return answer


BETWEEN = [Middleware(BaseHTTPMiddleware, dispatch=nothing_between)]


@pytest.mark.parametrize("inner", [[], BETWEEN], ids=["alone", "with a middleware between"])
async def test_charge_is_durable_before_first_byte(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str, inner: list[Middleware]
) -> None:
    """When the first byte of the response reaches the browser, the charge is in the ledger."""
    browser.probe = lambda: ledger_of(charging_app.url, account_id)

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return JSONResponse({})

    status = await browser.status_of(draw, inner=inner)

    assert (status, browser.probed[0]) == (200, CAPTURED)


@pytest.mark.parametrize("inner", [[], BETWEEN], ids=["alone", "with a middleware between"])
async def test_charge_of_stream_is_durable_before_last_message(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str, inner: list[Middleware]
) -> None:
    """A stream is charged right before its last message."""
    browser.probe = lambda: ledger_of(charging_app.url, account_id)

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    await browser.status_of(draw, inner=inner)

    assert (browser.body, browser.probed) == (b"one", [HELD, HELD, CAPTURED])


async def test_broken_stream_behind_middleware_costs_nothing(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """A middleware may end a broken stream as if it were complete; the endpoint's stream decides."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        browser.disconnected.set()
        await asyncio.Event().wait()

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    await browser.status_of(draw, inner=BETWEEN)

    assert (browser.body, ledger_of(charging_app.url, account_id)) == (b"one", RELEASED)


@pytest.mark.parametrize("charging_app", ["starlette"], indirect=True)
async def test_stream_longer_than_hold_records_shortfall(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """A sent stream cannot be taken back: its end is sent, too, and the shortfall is recorded."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(1.1)
        await charging_app.credits.adjust(account_id, -6, reason="gone", actor="an operator")

    @charging_app.integration.charged("video", ttl_seconds=1)
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    await browser.status_of(draw)

    query = "SELECT kind, detail FROM credit_transactions WHERE account_id = :id ORDER BY seq DESC LIMIT 1"
    ((kind, detail),) = rows(charging_app.url, query, {"id": account_id})
    assert (browser.body, browser.sent[-1]["more_body"]) == (b"one", False)
    assert (kind, json.loads(detail)["shortfall"]) == ("consume", 1)


async def test_stream_with_error_status_costs_nothing(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """A stream with a status of 400 or above is a failure, too."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"away"

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts(), 503)

    status = await browser.status_of(draw)

    assert (status, browser.body, ledger_of(charging_app.url, account_id)) == (503, b"away", RELEASED)


@pytest.mark.parametrize("inner", [[], BETWEEN], ids=["alone", "with a middleware between"])
async def test_response_with_refused_capture_is_not_sent(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str, inner: list[Middleware]
) -> None:
    """The refusal is sent instead; nothing of the response is sent, and its background task does not run."""
    after: list[str] = []

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        await release_hold_of_work(charging_app, account_id)
        return JSONResponse({"picture": "drawn"}, background=BackgroundTask(after.append, "sent"))

    status = await browser.status_of(draw, inner=inner)

    assert (status, (b"content-type", PROBLEM.encode()) in browser.sent[0]["headers"]) == (409, True)
    assert (b"hold-ended" in browser.body, b"drawn" in browser.body, after) == (True, False, [])
    assert ledger_of(charging_app.url, account_id) == RELEASED


async def test_spent_credits_after_released_hold_are_402(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """If the hold was released and the credits are spent, the 402 has where to buy more."""

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        await release_hold_of_work(charging_app, account_id)
        await charging_app.credits.adjust(account_id, -6, reason="gone", actor="an operator")
        return JSONResponse({"picture": "drawn"})

    status = await browser.status_of(draw, (b"idempotency-key", b"picture"))

    assert (status, b"https://app.example.com/buy" in browser.body, b"drawn" in browser.body) == (402, True, False)
    assert ledger_of(charging_app.url, account_id) == [*RELEASED, (4, "adjust", -6, 0)]


@pytest.mark.parametrize("answered", [200, 500])
async def test_exception_costs_nothing_whatever_its_handler_sends(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str, answered: int
) -> None:
    """An endpoint that raised is not charged, whatever status a handler sets."""

    async def handled(_request: Request, _error: Exception) -> Response:
        return JSONResponse({}, answered)

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        raise LookupError("no such room")

    status = await browser.status_of(draw, handlers={LookupError: handled})

    assert (status, ledger_of(charging_app.url, account_id)) == (answered, RELEASED)


async def test_disconnect_is_noticed_without_reading_body(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """A disconnect is noticed although the endpoint reads no body."""

    @charging_app.integration.charged("video")
    async def draw(_request: Request) -> Response:
        browser.disconnected.set()
        return JSONResponse({})

    await browser.status_of(draw)

    assert ledger_of(charging_app.url, account_id) == RELEASED


async def test_two_features_are_charged_together(
    charging_app: ChargingApp, browser: AsgiBrowser, account_id: str
) -> None:
    """An endpoint with two charges pays both or, if it fails, none."""
    outcomes: Callable[[], int] = iter((200, 503)).__next__

    @charging_app.integration.charged("video")
    @charging_app.integration.charged("sketch")
    async def draw(_request: Request) -> Response:
        return JSONResponse({}, outcomes())

    statuses = [await browser.status_of(draw) for _ in range(2)]

    kinds = [kind for _, kind, _, _ in ledger_of(charging_app.url, account_id)]
    assert statuses == [200, 503]
    assert kinds == ["signup", *("hold", "hold", "capture", "capture"), *("hold", "hold", "release", "release")]


async def release_hold_of_work(charging_app: ChargingApp, account_id: str) -> None:
    """Releases the hold of the running work, as an operator may."""
    query = "SELECT id FROM credit_transactions WHERE account_id = :id AND kind = 'hold'"
    ((hold_id,),) = rows(charging_app.url, query, {"id": account_id})
    await charging_app.credits.release_hold(account_id, hold_id)
