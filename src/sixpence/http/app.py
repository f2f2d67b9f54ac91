"""The ASGI application: the routes together, what surrounds them, and the boundary where errors become problems."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sixpence.core.errors import CreditSystemError, InsufficientCreditsError, InternalError
from sixpence.http import problems
from sixpence.http.accounts import EncodedPaths
from sixpence.http.errors import CallerError
from sixpence.http.offers import offers_of
from sixpence.service.credits import CreditService

_log = structlog.get_logger(__name__)
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(
    routes: Sequence[BaseRoute],
    credits: CreditService,
    *,
    upgrade_url: str,
    allowed_origins: Sequence[str],
    lifespan: Lifespan,
) -> Starlette:
    """An application of these routes; every error that leaves them becomes a problem."""

    async def refused(_request: Request, error: Exception) -> Response:
        assert isinstance(error, CreditSystemError)
        if isinstance(error, InsufficientCreditsError):
            priced_by = await credits.get_catalog()
            return problems.of_error(error, {"upgrade_url": upgrade_url, "offers": offers_of(priced_by.catalog)})
        return problems.of_error(error)

    handlers: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
        CreditSystemError: refused,
        CallerError: _caller_refused,
        HTTPException: _status,
        ClientDisconnect: _gone,
        Exception: _defect,
    }
    middleware = [Middleware(EncodedPaths)]
    if allowed_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=list(allowed_origins),
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "idempotency-key"],
            expose_headers=["idempotency-replayed", "retry-after"],
            allow_credentials=True,
        )
        middleware.insert(0, cors)
    return Starlette(routes=routes, middleware=middleware, exception_handlers=handlers, lifespan=lifespan)


async def _caller_refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, CallerError)
    return problems.of_caller(error)


async def _status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {404: "There is nothing here.", 405: f"{request.method} is not possible here."}
    return problems.of_status(error.status_code, detail.get(error.status_code, str(error.detail)), error.headers)


async def _gone(_request: Request, _error: Exception) -> Response:
    # Nobody is left to read it; the log shows why the request ended.
    return problems.of_status(400, "The client went away while it was sending.")


async def _defect(request: Request, error: Exception) -> Response:
    _log.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return problems.of_error(InternalError())
