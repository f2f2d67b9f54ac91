"""The ASGI application: the routes together, what surrounds them, and an answer to what goes wrong in between."""

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
from sixpence.http.fast_path.routes import Shortcut, Ways
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

    While `is_overloaded`, or so many changes are under way, what an app asks for with every generation is refused at
    once.
    """

    handlers: Handlers = {
        **refusal_handlers(credits, upgrade_url=upgrade_url),
        HTTPException: _status,
        ClientDisconnect: _gone,
        Exception: _defect,
    }
    ways = Ways(routes, handlers, is_overloaded, under_way_max=under_way_max)
    middleware = [Middleware(Shortcut, ways), Middleware(EncodedPaths)]
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
    # A path is what it says: a slash too many is nothing, and a POST is not sent round by a redirect.
    app.router.redirect_slashes = False
    # For a server that can go them without ASGI in between (`sixpence.http.fast_path.protocol`).
    app.state.ways = ways
    return app


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
