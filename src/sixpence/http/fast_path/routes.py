"""A look-up of the endpoints below an account's path, in place of the router, which tries one route after another.

An app calls these with every generation, and the router costs more than the endpoint. The endpoints are the same; a
path that is not found here goes to the router. The server's protocol may use the look-up without ASGI in between.
"""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sixpence.core.errors import QueueFullError
from sixpence.http.wire import problems
from sixpence.http.wire.error_handlers import Handlers
from sixpence.http.wire.streamed_route import StreamedRoute

# Segments of `/v1/accounts/{account_id}/WORD/{id}/WORD`: the empty one before the first slash is number 0.
_BASE = ["", "v1", "accounts"]
_SEGMENTS_MIN, _SEGMENTS_MAX = 4, 7

_Key = tuple[str, int, str, str]


class Match:
    """A route, and the ids in the path as they were sent."""

    __slots__ = ("changes", "ids", "route")

    def __init__(self, route: Route, ids: dict[str, str], *, changes: bool) -> None:
        self.route = route
        self.ids = ids
        self.changes = changes


class FastRoutes:
    """The routes below an account's path; `handlers` answer the errors that their endpoints raise.

    While the server `is_overloaded`, or `under_way_max` changes are in flight, further changes are refused before any
    work is done for them: otherwise the accepted ones would wait for them, too.
    """

    def __init__(
        self, routes: Sequence[BaseRoute], handlers: Handlers, is_overloaded: Callable[[], bool], *, under_way_max: int
    ) -> None:
        self._handlers = handlers
        self._is_overloaded = is_overloaded
        self._under_way_max = under_way_max
        # Changes from their complete body to their answer, counted by the protocol. A change whose body is still
        # arriving does not count: slow clients could keep all others out.
        self.in_flight = 0
        self.overloaded = problems.of_error(QueueFullError())
        self._routes: dict[_Key, tuple[Route, list[str]]] = {}
        for route in routes:
            if isinstance(route, Route) and not isinstance(route, StreamedRoute):
                self._add(route)

    @property
    def is_full(self) -> bool:
        """Whether changes are refused now, with `overloaded`."""
        return self.in_flight >= self._under_way_max or self._is_overloaded()

    def find(self, method: str, raw_path: bytes) -> Match | None:
        """The match of a request; None when the router has to look."""
        parts = raw_path.decode("latin-1").split("/")
        if not _SEGMENTS_MIN <= len(parts) <= _SEGMENTS_MAX or parts[:3] != _BASE:
            return None
        found = self._routes.get(_key(method, parts))
        if found is None:
            return None
        route, names = found
        ids = dict(zip(names, parts[3::2], strict=True))
        return Match(route, ids, changes=method == "POST") if all(ids.values()) else None

    def find_refusal(self, match: Match) -> Response | None:
        """The refusal of a change while the server is full; None when the request may run."""
        return self.overloaded if match.changes and self.is_full else None

    async def answer(self, match: Match, request: Request) -> Response:
        """Run the endpoint and answer its errors, too."""
        try:
            response: Response = await match.route.endpoint(request)
        except Exception as error:  # noqa: BLE001 - the last handler answers unexpected errors
            handler = next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
            response = await handler(request, error)
        return response

    def _add(self, route: Route) -> None:
        parts = route.path.split("/")
        if parts[:3] == _BASE and _SEGMENTS_MIN <= len(parts) <= _SEGMENTS_MAX:
            names = [part[1:-1] for part in parts[3::2]]
            for method in (route.methods or set()) - {"HEAD"}:
                self._routes[_key(method, parts)] = (route, names)


class FastPath:
    """Middleware that runs the endpoints of `FastRoutes` and passes all other requests to the router."""

    def __init__(self, app: ASGIApp, routes: FastRoutes) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        # Below a prefix the path starts differently, and the router strips it.
        match = None
        if scope["type"] == "http" and not scope.get("root_path"):
            match = self._routes.find(scope["method"], scope.get("raw_path") or b"")
        if match is None:
            await self._app(scope, receive, send)
            return
        scope["path_params"] = match.ids
        response = self._routes.find_refusal(match) or await self._routes.answer(match, Request(scope, receive, send))
        await response(scope, receive, send)


def _key(method: str, parts: list[str]) -> _Key:
    size = len(parts)
    return method, size, parts[4] if size > 4 else "", parts[6] if size > 6 else ""
