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

from tests.http.house import SITE
from tests.integrations.conftest import Studio
from tests.ledger.databases import ledger_of, rows

KEY = {"Idempotency-Key": "picture"}


class Room(BaseModel):
    """What FastAPI reads the body as, before the endpoint is called."""

    room: str


def starlette_app(studio: Studio) -> Starlette:
    """Endpoints that read their body themselves: as JSON, as a form, as a stream, and not at all."""
    charged, done = studio.integration.charged("video"), studio.done

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

    @studio.integration.charged("video", run_again=True)
    async def again(request: Request) -> Response:
        return drawn(done, (await request.json())["room"])

    each = {"/json": of_json, "/form": of_form, "/stream": of_stream, "/nothing": of_nothing, "/again": again}
    routes = [Route(path, endpoint, methods=["POST", "PUT"]) for path, endpoint in each.items()]
    return Starlette(
        routes=[*routes, Mount("/inner", routes=routes)],
        exception_handlers=studio.integration.exception_handlers,
        middleware=[*studio.integration.middleware, Middleware(BaseHTTPMiddleware, dispatch=read_before)],
    )


def fastapi_app(studio: Studio) -> FastAPI:
    """Endpoints whose body FastAPI has read before they are called, the form's as a stream that is gone then."""
    charged, done = studio.integration.charged("video"), studio.done
    app = FastAPI(exception_handlers=studio.integration.exception_handlers, middleware=studio.integration.middleware)

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
    @studio.integration.charged("video", run_again=True)
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
    """The answer to work that was done."""
    done.append(room)
    return JSONResponse({"drawn": room})


@pytest.fixture
async def page(
    studio: Studio, ada: httpx.AsyncClient, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """Ada on a page of the app above, on the framework of the studio."""
    app = (fastapi_app if request.node.callspec.params["studio"] == "fastapi" else starlette_app)(studio)
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
    # The same bytes, but on the other side of the seam between query and body.
    ("/nothing", {"content": "hall="}, {"params": {"hall": ""}}, "any"),
]


@pytest.mark.parametrize(("path", "first", "other", "room"), BODIES)
async def test_another_request_under_a_key_is_no_use_of_it(
    studio: Studio, page: httpx.AsyncClient, account_id: str, path: str, first: Any, other: Any, room: str
) -> None:
    """A body or a query that differs is refused before any work, and the endpoint reads its own as ever."""
    made = await page.post(path, **first)
    refused = await page.post(path, **other)

    assert (made.status_code, made.json(), studio.done) == (200, {"drawn": room}, [room])
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency-conflict")
    assert refused.json()["idempotency_key"] == "picture"
    assert [kind for _, kind, _, _ in ledger_of(studio.url, account_id)] == ["signup", "hold", "capture"]


async def test_another_method_or_path_is_another_request(studio: Studio, page: httpx.AsyncClient) -> None:
    """One key does not pay for the same body elsewhere."""
    room: dict[str, Any] = {"json": {"room": "hall"}}

    made = await page.post("/json", **room)
    refused = [await page.put("/json", **room), await page.post("/again", **room)]

    assert (made.status_code, [answer.status_code for answer in refused]) == (200, [422, 422])
    assert studio.done == ["hall"]


@pytest.mark.parametrize("studio", ["starlette"], indirect=True)
async def test_a_mounted_app_is_another_path(studio: Studio, page: httpx.AsyncClient) -> None:
    """The path is the whole one, wherever the endpoint is mounted."""
    made = await page.post("/inner/nothing")
    refused = await page.post("/nothing")

    assert (made.status_code, refused.status_code, studio.done) == (200, 422, ["any"])


@pytest.mark.parametrize("studio", ["starlette"], indirect=True)
async def test_a_body_read_by_a_middleware_counts(studio: Studio, page: httpx.AsyncClient) -> None:
    """Who reads the body first makes no difference."""
    before = {"x-read-before": "yes"}

    made = await page.post("/json", json={"room": "hall"}, headers=before)
    refused = await page.post("/json", json={"room": "attic"}, headers=before)
    repeated = await page.post("/json", json={"room": "hall"})

    assert [answer.status_code for answer in (made, refused, repeated)] == [200, 422, 409]
    assert studio.done == ["hall"]


@pytest.mark.parametrize(("path", "asked"), [("/json", {"json": {"room": "hall"}}), ("/nothing", {})])
async def test_work_that_was_charged_is_not_done_again(
    studio: Studio, page: httpx.AsyncClient, account_id: str, path: str, asked: Any
) -> None:
    """A repeat is told that it was done and by which hold it was charged; it is no source of free work."""
    await page.post(path, **asked)

    repeats = [await page.post(path, **asked) for _ in range(2)]

    query = "SELECT id FROM credit_transactions WHERE account_id = :id AND kind = 'hold'"
    ((hold_id,),) = rows(studio.url, query, {"id": account_id})
    assert [answer.status_code for answer in repeats] == [409, 409]
    assert repeats[0].json() == {
        "type": "about:blank",
        "status": 409,
        "code": "already-done",
        "title": "This was done before",
        "detail": "The work of this key was done and charged before. "
        "Use a new key to have it done, and charged, again.",
        "hold_id": hold_id,
    }
    assert len(studio.done) == 1
    query = "SELECT kind, idempotency_key FROM credit_transactions WHERE account_id = :id AND seq > 1 ORDER BY seq"
    assert rows(studio.url, query, {"id": account_id}) == [
        ("hold", "picture:hold:1"),
        ("capture", "picture:capture:1"),
    ]


async def test_an_endpoint_that_keeps_what_it_made_runs_again(
    studio: Studio, page: httpx.AsyncClient, account_id: str
) -> None:
    """With `run_again` the same request runs, uncharged, even when no credit is left; another one still does not."""
    await page.post("/again", json={"room": "hall"})
    await studio.credits.adjust(account_id, -5, reason="gone", actor="an operator")

    repeated = await page.post("/again", json={"room": "hall"})
    another = await page.post("/again", json={"room": "attic"})
    unpaid = await page.post("/again", json={"room": "hall"}, headers={"Idempotency-Key": "new"})

    assert (repeated.status_code, repeated.json()) == (200, {"drawn": "hall"})
    assert (another.status_code, unpaid.status_code, studio.done) == (422, 402, ["hall", "hall"])
    assert [kind for _, kind, _, _ in ledger_of(studio.url, account_id)] == ["signup", "hold", "capture", "adjust"]


async def test_many_bodies_at_once_under_a_key_are_one_work(
    studio: Studio, page: httpx.AsyncClient, account_id: str
) -> None:
    """Of eight different requests that come together one is served."""
    answers = await asyncio.gather(*(page.post("/json", json={"room": f"room {number}"}) for number in range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [422] * 7
    assert (len(studio.done), len(ledger_of(studio.url, account_id))) == (1, 3)


async def test_a_key_of_work_that_failed_stays_its_requests(studio: Studio, ada: httpx.AsyncClient) -> None:
    """A key is bound by the first request that had it, whatever became of that."""
    failed = await ada.post("/draw", params={"outcome": "503"}, headers=KEY)
    refused = await ada.post("/draw", headers=KEY)

    assert (failed.status_code, refused.status_code, studio.done) == (503, 422, ["503"])


async def test_a_body_in_parts_is_the_same_request(studio: Studio, page: httpx.AsyncClient) -> None:
    """How a body is cut on its way makes no difference, and no cut passes for another body."""

    async def parts() -> AsyncIterator[bytes]:
        yield b'{"room":'
        yield b'"hall"}'

    whole: dict[str, Any] = {"content": '{"room":"hall"}', "headers": {"content-type": "application/json"}}

    statuses = [
        (await page.post("/json", **{**whole, "content": parts()})).status_code,
        (await page.post("/json", **whole)).status_code,
        (await page.post("/json", **{**whole, "content": '{"room":"hall"} '})).status_code,
    ]

    assert (statuses, studio.done) == ([200, 409, 422], ["hall"])


async def test_without_a_key_each_request_is_a_use(studio: Studio, page: httpx.AsyncClient, account_id: str) -> None:
    """Nothing is compared, and nothing of the request is kept."""
    del page.headers["Idempotency-Key"]

    statuses = [(await page.post("/json", json={"room": "hall"})).status_code for _ in range(2)]

    query = "SELECT DISTINCT metadata FROM credit_transactions WHERE account_id = :id AND seq > 1"
    assert (statuses, rows(studio.url, query, {"id": account_id})) == ([200, 200], [(None,)])
