"""The entry point: the ASGI application with its routes, its middleware and its error handlers."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from sixpence.core.errors import InternalError
from sixpence.http.callers.origin import origin_of
from sixpence.http.fast_path.routes import FastPath, FastRoutes
from sixpence.http.wire import problems
from sixpence.http.wire.error_handlers import Handlers, refusal_handlers
from sixpence.http.wire.paths import EncodedPaths
from sixpence.service.credits import CreditService

_log = structlog.get_logger(__name__)
Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def build_app(
    routes: Sequence[BaseRoute],
    credits: CreditService,
    *,
    upgrade_url: str,
    allowed_origins: Sequence[str],
    is_overloaded: Callable[[], bool],
    under_way_max: int,
    lifespan: Lifespan,
) -> Starlette:
    """An application of these routes; every error that leaves them becomes a problem.

    While `is_overloaded`, or `under_way_max` changes are in flight, the fast path refuses further changes at once.
    """

    handlers: Handlers = {
        **refusal_handlers(credits, upgrade_url=upgrade_url),
        HTTPException: _bare_status,
        ClientDisconnect: _client_disconnected,
        Exception: _unexpected_error,
    }
    fast_routes = FastRoutes(routes, handlers, is_overloaded, under_way_max=under_way_max)
    middleware = [Middleware(FastPath, fast_routes), Middleware(EncodedPaths)]
    if allowed_origins:
        cors = Middleware(
            CORSMiddleware,
            allow_origins=[origin_of(url) for url in allowed_origins],
            allow_methods=["GET", "POST"],
            allow_headers=["content-type", "idempotency-key"],
            expose_headers=["idempotency-replayed", "retry-after"],
            allow_credentials=True,
        )
        middleware.insert(0, cors)
    app = Starlette(routes=routes, middleware=middleware, exception_handlers=handlers, lifespan=lifespan)
    # A trailing slash is another path, and a redirect would lose the body of a POST.
    app.router.redirect_slashes = False
    # The server's protocol calls these without ASGI in between (`sixpence.http.fast_path.protocol`).
    app.state.fast_routes = fast_routes
    return app


async def _bare_status(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = {404: "There is nothing here.", 405: f"{request.method} is not possible here."}
    return problems.of_status(error.status_code, detail.get(error.status_code, str(error.detail)), error.headers)


async def _client_disconnected(_request: Request, _error: Exception) -> Response:
    # The client cannot read this answer; the log shows why the request ended.
    return problems.of_status(400, "The client went away while it was sending.")


async def _unexpected_error(request: Request, error: Exception) -> Response:
    _log.error("a request failed", method=request.method, path=request.url.path, exc_info=error)
    return problems.of_error(InternalError())
