"""Small apps that charge, for Starlette and for FastAPI, which the tests of the integration call.

Each has `/draw` (charged; `?outcome=` is how the work ends), `/plain` (not a coroutine) and `/by-hand`.
"""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sixpence.integrations.starlette import CreditIntegration

Done = list[str]


class WorkError(Exception):
    """The work failed."""


def end_work(outcome: str, done: Done) -> Response:
    """Ends some work with a response of this status, or with an exception."""
    done.append(outcome)
    if outcome == "exception":
        raise WorkError("the model is away")
    return JSONResponse({"outcome": outcome}, int(outcome))


async def charge_by_hand(integration: CreditIntegration, request: Request) -> Response:
    """An endpoint that checks, works and charges itself, as the original's endpoints did."""
    check = await integration.validate_credit_usage(request, "sketch")
    result = await integration.check_and_consume_credit(
        request, "sketch", "gen 1", metadata={"room": 7}, idempotency_key=request.headers.get("idempotency-key")
    )
    if result.receipt is None:
        return integration.create_insufficient_credits_response(result)
    return integration.create_success_response({"picture": "drawn", "allowed": check.allowed}, result.receipt)


def starlette_app(integration: CreditIntegration, done: Done) -> Starlette:
    """The app for Starlette."""

    @integration.charged("video")
    async def draw(request: Request) -> Response:
        return end_work(request.query_params.get("outcome", "200"), done)

    @integration.charged("video")
    def plain(request: Request) -> Response:
        return end_work(request.query_params.get("outcome", "200"), done)

    async def by_hand(request: Request) -> Response:
        return await charge_by_hand(integration, request)

    routes = [
        Route(path, each, methods=["POST"])
        for path, each in (("/draw", draw), ("/plain", plain), ("/by-hand", by_hand))
    ]
    return Starlette(
        routes=routes, exception_handlers=integration.exception_handlers, middleware=integration.middleware
    )


def fastapi_app(integration: CreditIntegration, done: Done) -> FastAPI:
    """The app for FastAPI, with its parameters, its own responses and its own exceptions."""
    app = FastAPI(exception_handlers=integration.exception_handlers, middleware=integration.middleware)

    @app.post("/draw")
    @integration.charged("video")
    async def draw(request: Request, outcome: Annotated[str, Query(pattern="^(exception|[0-9]{3})$")] = "200") -> Any:
        response = end_work(outcome, done)
        if response.status_code == 418:
            raise HTTPException(418, "a teapot draws nothing")
        return {"outcome": outcome} if response.status_code == 200 else response

    @app.post("/plain")
    @integration.charged("video")
    def plain(request: Request, outcome: str = "200") -> Any:
        response = end_work(outcome, done)
        return {"outcome": outcome} if response.status_code == 200 else response

    @app.post("/by-hand")
    async def by_hand(request: Request) -> Response:
        return await charge_by_hand(integration, request)

    return app


APPS: dict[str, Callable[[CreditIntegration, Done], Starlette]] = {"starlette": starlette_app, "fastapi": fastapi_app}
