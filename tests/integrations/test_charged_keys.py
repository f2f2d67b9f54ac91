"""`charged` with an `Idempotency-Key`: one key is one request, one work and one charge."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Form
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from tests.http.installation import SITE
from tests.integrations.conftest import ChargingApp
from tests.ledger.databases import ledger_of, rows

KEY = {"Idempotency-Key": "picture"}


class Room(BaseModel):
    """The body, which FastAPI reads before it calls the endpoint."""

    room: str


def starlette_app(charging_app: ChargingApp) -> Starlette:
    """Endpoints that read their body themselves: as JSON, as a form, as a stream, and not at all."""
    charged, done = charging_app.integration.charged("video"), charging_app.done

    @charged
    async def of_json(request: Request) -> Response:
        return drawn(done, (await request.json())["room"])

    @charged
    async def of_form(request: Request) -> Response:
        return drawn(done, str((await request.form())["room"]))

    @charged
    async def of_stream(request: Request) -> Response:
        return drawn(done, b"".join([part async for part in request.stream()]).decode())

    @charged
    async def of_nothing(_request: Request) -> Response:
        return drawn(done, "any")

    @charging_app.integration.charged("video", run_again=True)
    async def again(request: Request) -> Response:
        return drawn(done, (await request.json())["room"])

    each = {"/json": of_json, "/form": of_form, "/stream": of_stream, "/nothing": of_nothing, "/again": again}
    routes = [Route(path, endpoint, methods=["POST", "PUT"]) for path, endpoint in each.items()]
    return Starlette(
        routes=[*routes, Mount("/inner", routes=routes)],
        exception_handlers=charging_app.integration.exception_handlers,
        middleware=[*charging_app.integration.middleware, Middleware(BaseHTTPMiddleware, dispatch=read_before)],
    )


def fastapi_app(charging_app: ChargingApp) -> FastAPI:
    """Endpoints whose body FastAPI has read before; the form's stream cannot be read again."""
    charged, done = charging_app.integration.charged("video"), charging_app.done
    app = FastAPI(
        exception_handlers=charging_app.integration.exception_handlers, middleware=charging_app.integration.middleware
    )

    @app.api_route("/json", methods=["POST", "PUT"])
    @charged
    async def of_json(request: Request, room: Room) -> Any:
        return drawn(done, room.room)

    @app.post("/form")
    @charged
    async def of_form(request: Request, room: Annotated[str, Form()]) -> Any:
        return drawn(done, room)

    @app.post("/stream")
    @charged
    async def of_stream(request: Request) -> Any:
        return drawn(done, b"".join([part async for part in request.stream()]).decode())

    @app.post("/nothing")
    @charged
    async def of_nothing(request: Request) -> Any:
        return drawn(done, "any")

    @app.post("/again")
    @charging_app.integration.charged("video", run_again=True)
    async def again(request: Request, room: Room) -> Any:
        return drawn(done, room.room)

    return app


async def read_before(request: Request, call_next: Any) -> Response:
    """A middleware that reads the body before the endpoint does."""
    if "x-read-before" in request.headers:
        await request.body()
    answer: Response = await call_next(request)
    return answer


def drawn(done: list[str], room: str) -> Response:
    """Records the work and makes its response."""
    done.append(room)
    return JSONResponse({"drawn": room})


@pytest.fixture
async def page(
    charging_app: ChargingApp, ada: httpx.AsyncClient, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """Ada's browser on the app above, with its framework."""
    app = (fastapi_app if request.node.callspec.params["charging_app"] == "fastapi" else starlette_app)(charging_app)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {**ada.headers, **KEY}
    async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers, cookies=ada.cookies) as client:
        yield client


BODIES = [
    ("/json", {"json": {"room": "hall"}}, {"json": {"room": "attic"}}, "hall"),
    ("/form", {"data": {"room": "hall"}}, {"data": {"room": "attic"}}, "hall"),
    ("/stream", {"content": "hall"}, {"content": "attic"}, "hall"),
    ("/nothing", {"content": "hall"}, {"content": "attic"}, "any"),
    ("/nothing", {}, {"params": {"room": "attic"}}, "any"),
    # The same bytes, but in the query instead of the body.
    ("/nothing", {"content": "hall="}, {"params": {"hall": ""}}, "any"),
]


@pytest.mark.parametrize(("path", "first", "other", "room"), BODIES)
async def test_key_with_other_body_or_query_is_conflict(
    charging_app: ChargingApp, page: httpx.AsyncClient, account_id: str, path: str, first: Any, other: Any, room: str
) -> None:
    """A request with another body or query is refused before the work, and an endpoint reads its body as usual."""
    made = await page.post(path, **first)
    refused = await page.post(path, **other)

    assert (made.status_code, made.json(), charging_app.done) == (200, {"drawn": room}, [room])
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-conflict")
    assert refused.json()["idempotency_key"] == "picture"
    assert [kind for _, kind, _, _ in ledger_of(charging_app.url, account_id)] == ["signup", "hold", "capture"]


async def test_key_with_other_method_or_path_is_conflict(charging_app: ChargingApp, page: httpx.AsyncClient) -> None:
    """A key does not pay for the same body with another method or path."""
    room: dict[str, Any] = {"json": {"room": "hall"}}

    made = await page.post("/json", **room)
    refused = [await page.put("/json", **room), await page.post("/again", **room)]

    assert (made.status_code, [answer.status_code for answer in refused]) == (200, [422, 422])
    assert charging_app.done == ["hall"]


@pytest.mark.parametrize("charging_app", ["starlette"], indirect=True)
async def test_fingerprint_has_whole_path_of_mounted_app(charging_app: ChargingApp, page: httpx.AsyncClient) -> None:
    """The whole path counts, wherever the endpoint is mounted."""
    made = await page.post("/inner/nothing")
    refused = await page.post("/nothing")

    assert (made.status_code, refused.status_code, charging_app.done) == (200, 422, ["any"])


@pytest.mark.parametrize("charging_app", ["starlette"], indirect=True)
async def test_body_read_by_middleware_counts(charging_app: ChargingApp, page: httpx.AsyncClient) -> None:
    """It makes no difference whether a middleware reads the body first."""
    before = {"x-read-before": "yes"}

    made = await page.post("/json", json={"room": "hall"}, headers=before)
    refused = await page.post("/json", json={"room": "attic"}, headers=before)
    repeated = await page.post("/json", json={"room": "hall"})

    assert [answer.status_code for answer in (made, refused, repeated)] == [200, 422, 409]
    assert charging_app.done == ["hall"]


@pytest.mark.parametrize(("path", "arguments"), [("/json", {"json": {"room": "hall"}}), ("/nothing", {})])
async def test_retry_after_charge_is_already_done(
    charging_app: ChargingApp, page: httpx.AsyncClient, account_id: str, path: str, arguments: Any
) -> None:
    """A retry gets 409 with the hold that was charged; no work is done for free."""
    await page.post(path, **arguments)

    repeats = [await page.post(path, **arguments) for _ in range(2)]

    query = "SELECT id FROM credit_transactions WHERE account_id = :id AND kind = 'hold'"
    ((hold_id,),) = rows(charging_app.url, query, {"id": account_id})
    assert [answer.status_code for answer in repeats] == [409, 409]
    assert repeats[0].json() == {
        "type": "about:blank",
        "status": 409,
        "code": "already-done",
        "title": "This was done before",
        "detail": "The work of this key was done and charged before. Send a new key to have it done and charged again.",
        "hold_id": hold_id,
    }
    assert len(charging_app.done) == 1
    query = "SELECT kind, idempotency_key FROM credit_transactions WHERE account_id = :id AND seq > 1 ORDER BY seq"
    assert rows(charging_app.url, query, {"id": account_id}) == [
        ("hold", "picture:hold:1"),
        ("capture", "picture:capture:1"),
    ]


async def test_run_again_runs_retry_without_charge(
    charging_app: ChargingApp, page: httpx.AsyncClient, account_id: str
) -> None:
    """With `run_again` the same request runs uncharged, even without credits; another request is refused."""
    await page.post("/again", json={"room": "hall"})
    await charging_app.credits.adjust(account_id, -5, reason="gone", actor="an operator")

    repeated = await page.post("/again", json={"room": "hall"})
    another = await page.post("/again", json={"room": "attic"})
    unpaid = await page.post("/again", json={"room": "hall"}, headers={"Idempotency-Key": "new"})

    assert (repeated.status_code, repeated.json()) == (200, {"drawn": "hall"})
    assert (another.status_code, unpaid.status_code, charging_app.done) == (422, 402, ["hall", "hall"])
    assert [kind for _, kind, _, _ in ledger_of(charging_app.url, account_id)] == [
        "signup",
        "hold",
        "capture",
        "adjust",
    ]


async def test_concurrent_bodies_with_one_key_are_one_work(
    charging_app: ChargingApp, page: httpx.AsyncClient, account_id: str
) -> None:
    """Of eight different concurrent requests one is served."""
    answers = await asyncio.gather(*(page.post("/json", json={"room": f"room {number}"}) for number in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7
    assert (len(charging_app.done), len(ledger_of(charging_app.url, account_id))) == (1, 3)


async def test_key_of_failed_work_stays_bound_to_its_request(charging_app: ChargingApp, ada: httpx.AsyncClient) -> None:
    """The first request with a key binds it, even if its work failed."""
    failed = await ada.post("/draw", params={"outcome": "503"}, headers=KEY)
    refused = await ada.post("/draw", headers=KEY)

    assert (failed.status_code, refused.status_code, charging_app.done) == (503, 422, ["503"])


async def test_body_in_parts_has_same_fingerprint(charging_app: ChargingApp, page: httpx.AsyncClient) -> None:
    """The parts in which a body arrives make no difference; another body does."""

    async def parts() -> AsyncIterator[bytes]:
        yield b'{"room":'
        yield b'"hall"}'

    whole: dict[str, Any] = {"content": '{"room":"hall"}', "headers": {"content-type": "application/json"}}

    statuses = [
        (await page.post("/json", **{**whole, "content": parts()})).status_code,
        (await page.post("/json", **whole)).status_code,
        (await page.post("/json", **{**whole, "content": '{"room":"hall"} '})).status_code,
    ]

    assert (statuses, charging_app.done) == ([200, 409, 422], ["hall"])


async def test_without_key_each_request_is_charged(
    charging_app: ChargingApp, page: httpx.AsyncClient, account_id: str
) -> None:
    """Requests are not compared, and no fingerprint is stored."""
    del page.headers["Idempotency-Key"]

    statuses = [(await page.post("/json", json={"room": "hall"})).status_code for _ in range(2)]

    query = "SELECT DISTINCT metadata FROM credit_transactions WHERE account_id = :id AND seq > 1"
    assert (statuses, rows(charging_app.url, query, {"id": account_id})) == ([200, 200], [(None,)])
