"""FastAPI takes what the service returns: as an answer, inside one, and as `response_model`."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sixpence import CreditService, InsufficientCreditsError, PastBalance, Receipt, UserCredits
from tests.ledger.databases import Database, database, migrated_once, migrated_postgres_url, sqlite_url, verify_clean

__all__ = ["database", "migrated_once", "migrated_postgres_url", "sqlite_url"]

ADA = "ada@example.com"


class Drawn(BaseModel):
    """An app's own model with a receipt in it."""

    picture: str
    receipt: Receipt


@pytest.fixture
async def credits(database: Database) -> AsyncIterator[CreditService]:
    """Ada's six credits; at the end the whole ledger is verified."""
    async with CreditService(database) as service:
        await service.initialize_user_credits(ADA)
        yield service
    verify_clean(database)


@pytest.fixture
async def browser(credits: CreditService) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that answers with what the service returns."""
    app = FastAPI()

    @app.exception_handler(InsufficientCreditsError)
    async def refused(_request: Request, error: InsufficientCreditsError) -> JSONResponse:
        return JSONResponse(error.problem(upgrade_url="/buy"), 402)

    # Without a return annotation FastAPI knows nothing of the answer.
    @app.post("/plain")
    async def plain():  # type: ignore[no-untyped-def]
        return await credits.consume_credit(ADA, "interior", idempotency_key="one")

    @app.post("/inside")
    async def inside():  # type: ignore[no-untyped-def]
        return {"done": [await credits.consume_credit(ADA, "interior", idempotency_key="one")]}

    @app.post("/annotated")
    async def annotated() -> Receipt:
        return await credits.consume_credit(ADA, "interior", idempotency_key="one")

    @app.post("/drawn")
    async def drawn() -> Drawn:
        receipt = await credits.consume_credit(ADA, "interior", idempotency_key="one")
        return Drawn(picture="a room", receipt=receipt)

    @app.get("/credits", response_model=UserCredits)
    async def state() -> UserCredits:
        return await credits.get_user_credits(ADA)

    @app.get("/balances", response_model=list[PastBalance])
    async def balances() -> list[PastBalance]:
        return [await credits.balance_at(ADA)]

    @app.post("/spend")
    async def spend() -> Receipt:
        return await credits.consume_credit(ADA, "video")

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://app.example.com") as client:
        yield client


async def test_answers_are_the_plain_data(credits: CreditService, browser: httpx.AsyncClient) -> None:
    """Each way of answering sends the fields of `to_wire`, and the use is charged once."""
    receipt = await credits.consume_credit(ADA, "interior", idempotency_key="one")

    answers = [await browser.post(path) for path in ("/plain", "/inside", "/annotated", "/drawn")]

    plain = receipt.to_wire()
    assert [(answer.status_code, answer.json()) for answer in answers] == [
        (200, plain),
        (200, {"done": [plain]}),
        (200, plain),
        (200, {"picture": "a room", "receipt": plain}),
    ]
    assert (plain["feature"], plain["credits_consumed"], plain["remaining"]) == ("interior", 1, 5)
    state = await browser.get("/credits")
    assert (state.status_code, state.json()) == (200, (await credits.get_user_credits(ADA)).to_wire())
    past = await browser.get("/balances")
    assert (past.status_code, [each["remaining"] for each in past.json()]) == (200, [5])


async def test_openapi_names_the_classes(browser: httpx.AsyncClient) -> None:
    """The app's OpenAPI document can be made, and names what is returned."""
    answer = await browser.get("/openapi.json")

    schema = answer.json()["paths"]["/annotated"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert (answer.status_code, schema["type"], schema["title"].startswith("Re")) == (200, "object", True)


async def test_own_handler_answers_402(browser: httpx.AsyncClient) -> None:
    """With no credits left, an app's own handler sends the problem as data."""
    for _ in range(6):
        assert (await browser.post("/spend")).status_code == 200

    answer = await browser.post("/spend")

    body = answer.json()
    assert (answer.status_code, body["code"], body["required"], body["upgrade_url"], body["offers"]) == (
        402,
        "insufficient-credits",
        1,
        "/buy",
        [],
    )
