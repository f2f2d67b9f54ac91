"""What leaves decides: statuses set behind the endpoint's back, captures that are refused, and middleware between."""

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

from tests.http.house import PROBLEM, SITE
from tests.integrations.caller import Caller
from tests.integrations.conftest import Studio
from tests.ledger.databases import ledger_of, rows

HELD = [(1, "signup", 6, 6), (2, "hold", -1, 5)]
CAPTURED, RELEASED = [*HELD, (3, "capture", 0, 5)], [*HELD, (3, "release", 1, 6)]


def fastapi_app(studio: Studio) -> FastAPI:
    """An app whose answers are charged by what FastAPI makes of them."""
    charged = studio.integration.charged("video")
    app = FastAPI(exception_handlers=studio.integration.exception_handlers, middleware=studio.integration.middleware)

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

    # FastAPI puts what is added later around what was there, so ours goes around again.
    app.user_middleware.reverse()

    @app.post("/overruled")
    @charged
    async def overruled(request: Request) -> Any:
        return {}

    return app


@pytest.mark.parametrize("studio", ["fastapi"], indirect=True)
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
async def test_the_status_that_leaves_decides(
    studio: Studio, ada: httpx.AsyncClient, account_id: str, path: str, status: int, ledger: list[Any]
) -> None:
    """However a failure came to be one, it costs nothing; and success costs, whatever its status is."""
    transport = httpx.ASGITransport(fastapi_app(studio), raise_app_exceptions=False)

    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=ada.headers, cookies=ada.cookies) as page:
        answer = await page.post(path)

    assert (answer.status_code, ledger_of(studio.url, account_id)) == (status, ledger)


async def nothing_between(request: Request, call_next: Any) -> Response:
    """A middleware that makes a stream of every answer, as Starlette's simple ones do."""
    answer: Response = await call_next(request)
    return answer


BETWEEN = [Middleware(BaseHTTPMiddleware, dispatch=nothing_between)]


@pytest.mark.parametrize("inner", [[], BETWEEN], ids=["alone", "with a middleware between"])
async def test_the_charge_is_durable_before_anything_leaves(
    studio: Studio, caller: Caller, account_id: str, inner: list[Middleware]
) -> None:
    """When the first byte of the answer reaches the caller its charge stands in the ledger."""
    caller.look = lambda: ledger_of(studio.url, account_id)

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return JSONResponse({})

    status = await caller.answered(draw, inner=inner)

    assert (status, caller.seen[0]) == (200, CAPTURED)


@pytest.mark.parametrize("inner", [[], BETWEEN], ids=["alone", "with a middleware between"])
async def test_a_streams_charge_is_durable_before_its_last_message(
    studio: Studio, caller: Caller, account_id: str, inner: list[Middleware]
) -> None:
    """A stream leaves uncharged but for its end."""
    caller.look = lambda: ledger_of(studio.url, account_id)

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    await caller.answered(draw, inner=inner)

    assert (caller.body, caller.seen) == (b"one", [HELD, HELD, CAPTURED])


async def test_half_a_stream_costs_nothing_behind_a_middleware(studio: Studio, caller: Caller, account_id: str) -> None:
    """A middleware between may end what broke off as if it were whole: what was made of it decides."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        caller.gone.set()
        await asyncio.Event().wait()

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    await caller.answered(draw, inner=BETWEEN)

    assert (caller.body, ledger_of(studio.url, account_id)) == (b"one", RELEASED)


@pytest.mark.parametrize("studio", ["starlette"], indirect=True)
async def test_a_stream_that_outlived_its_hold_takes_what_there_is(
    studio: Studio, caller: Caller, account_id: str
) -> None:
    """What a stream has sent cannot be kept back: its end is sent, too, and the shortfall is recorded."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(1.1)
        await studio.credits.adjust(account_id, -6, reason="gone", actor="an operator")

    @studio.integration.charged("video", ttl_seconds=1)
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts())

    await caller.answered(draw)

    query = "SELECT kind, detail FROM credit_transactions WHERE account_id = :id ORDER BY seq DESC LIMIT 1"
    ((kind, detail),) = rows(studio.url, query, {"id": account_id})
    assert (caller.body, caller.sent[-1]["more_body"]) == (b"one", False)
    assert (kind, json.loads(detail)["shortfall"]) == ("consume", 1)


async def test_a_stream_of_a_failure_costs_nothing(studio: Studio, caller: Caller, account_id: str) -> None:
    """A stream with 400 or above is a failure, too."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"away"

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        return StreamingResponse(parts(), 503)

    status = await caller.answered(draw)

    assert (status, caller.body, ledger_of(studio.url, account_id)) == (503, b"away", RELEASED)


@pytest.mark.parametrize("inner", [[], BETWEEN], ids=["alone", "with a middleware between"])
async def test_what_cannot_be_charged_does_not_leave(
    studio: Studio, caller: Caller, account_id: str, inner: list[Middleware]
) -> None:
    """Where the capture is refused, the refusal is the answer: nothing of the work's goes out, nor runs after it."""
    after: list[str] = []

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        await end_the_hold(studio, account_id)
        return JSONResponse({"picture": "drawn"}, background=BackgroundTask(after.append, "sent"))

    status = await caller.answered(draw, inner=inner)

    assert (status, (b"content-type", PROBLEM.encode()) in caller.sent[0]["headers"]) == (409, True)
    assert (b"hold-ended" in caller.body, b"drawn" in caller.body, after) == (True, False, [])
    assert ledger_of(studio.url, account_id) == RELEASED


async def test_what_cannot_be_paid_any_more_is_402(studio: Studio, caller: Caller, account_id: str) -> None:
    """The hold was given back meanwhile and the credits are spent: the 402 says so, and where to buy more."""

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        await end_the_hold(studio, account_id)
        await studio.credits.adjust(account_id, -6, reason="gone", actor="an operator")
        return JSONResponse({"picture": "drawn"})

    status = await caller.answered(draw, (b"idempotency-key", b"picture"))

    assert (status, b"https://app.example.com/buy" in caller.body, b"drawn" in caller.body) == (402, True, False)
    assert ledger_of(studio.url, account_id) == [*RELEASED, (4, "adjust", -6, 0)]


@pytest.mark.parametrize("answered", [200, 500])
async def test_an_exception_costs_nothing_however_it_is_answered(
    studio: Studio, caller: Caller, account_id: str, answered: int
) -> None:
    """An endpoint that raised did not do its work, whatever a handler of the app makes of it."""

    async def handled(_request: Request, _error: Exception) -> Response:
        return JSONResponse({}, answered)

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        raise LookupError("no such room")

    status = await caller.answered(draw, handlers={LookupError: handled})

    assert (status, ledger_of(studio.url, account_id)) == (answered, RELEASED)


async def test_a_client_that_left_without_a_body_read(studio: Studio, caller: Caller, account_id: str) -> None:
    """An endpoint that takes no body does not hide that the client has gone."""

    @studio.integration.charged("video")
    async def draw(_request: Request) -> Response:
        caller.gone.set()
        return JSONResponse({})

    await caller.answered(draw)

    assert ledger_of(studio.url, account_id) == RELEASED


async def test_two_features_are_settled_together(studio: Studio, caller: Caller, account_id: str) -> None:
    """An endpoint that is charged for twice pays both or, when it fails, none."""
    outcomes: Callable[[], int] = iter((200, 503)).__next__

    @studio.integration.charged("video")
    @studio.integration.charged("sketch")
    async def draw(_request: Request) -> Response:
        return JSONResponse({}, outcomes())

    statuses = [await caller.answered(draw) for _ in range(2)]

    kinds = [kind for _, kind, _, _ in ledger_of(studio.url, account_id)]
    assert statuses == [200, 503]
    assert kinds == ["signup", *("hold", "hold", "capture", "capture"), *("hold", "hold", "release", "release")]


async def end_the_hold(studio: Studio, account_id: str) -> None:
    """Gives back what the running work has set aside, as an operator may."""
    query = "SELECT id FROM credit_transactions WHERE account_id = :id AND kind = 'hold'"
    ((hold_id,),) = rows(studio.url, query, {"id": account_id})
    await studio.credits.release_hold(account_id, hold_id)
