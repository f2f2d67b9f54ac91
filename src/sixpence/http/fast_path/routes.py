"""The way to the endpoints below an account's path without the router, which tries one route after another.

An app asks for these with every generation, and the router costs more than what it leads to. The endpoints are the same
ones; what is not found here goes on to the router. A server may go this way without ASGI in between.
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


class Way:
    """Where a request goes: an endpoint, and the ids in its path as they were sent."""

    __slots__ = ("changes", "ids", "route")

    def __init__(self, route: Route, ids: dict[str, str], *, changes: bool) -> None:
        self.route = route
        self.ids = ids
        self.changes = changes


class Ways:
    """The endpoints below an account's path; `handlers` answer what these raise.

    While `is_overloaded`, or so many are under way that each pass of the event loop takes long, changes are refused
    before anything is done for them: were they not, whoever was accepted would wait for them, too.
    """

    def __init__(
        self, routes: Sequence[BaseRoute], handlers: Handlers, is_overloaded: Callable[[], bool], *, under_way_max: int
    ) -> None:
        self._handlers = handlers
        self._is_overloaded = is_overloaded
        self._under_way_max = under_way_max
        # Changes whose body is whole, from being read to being answered; a server that goes the direct way counts them.
        # One whose body is still to come does not count: whoever sends slowly would keep everybody else out.
        self.under_way = 0
        self.overloaded = problems.of_error(QueueFullError())
        self._ways: dict[_Key, tuple[Route, list[str]]] = {}
        for route in routes:
            if isinstance(route, Route) and not isinstance(route, StreamedRoute):
                self._add(route)

    @property
    def is_full(self) -> bool:
        """Whether changes are refused now, with `overloaded`."""
        return self.under_way >= self._under_way_max or self._is_overloaded()

    def find(self, method: str, raw_path: bytes) -> Way | None:
        """The way of a request, None where the router has to look."""
        parts = raw_path.decode("latin-1").split("/")
        if not _SEGMENTS_MIN <= len(parts) <= _SEGMENTS_MAX or parts[:3] != _BASE:
            return None
        found = self._ways.get(_key(method, parts))
        if found is None:
            return None
        route, names = found
        ids = dict(zip(names, parts[3::2], strict=True))
        return Way(route, ids, changes=method == "POST") if all(ids.values()) else None

    def refuse(self, way: Way) -> Response | None:
        """The refusal of a request unread; None where it is let through."""
        return self.overloaded if way.changes and self.is_full else None

    async def answer(self, way: Way, request: Request) -> Response:
        """The answer to a request that was let through, whatever happens on its way."""
        try:
            response: Response = await way.route.endpoint(request)
        except Exception as error:  # noqa: BLE001 - the last handler answers what is nobody's refusal
            handler = next(self._handlers[kind] for kind in type(error).__mro__ if kind in self._handlers)
            response = await handler(request, error)
        return response

    def _add(self, route: Route) -> None:
        parts = route.path.split("/")
        if parts[:3] == _BASE and _SEGMENTS_MIN <= len(parts) <= _SEGMENTS_MAX:
            names = [part[1:-1] for part in parts[3::2]]
            for method in (route.methods or set()) - {"HEAD"}:
                self._ways[_key(method, parts)] = (route, names)


class Shortcut:
    """Middleware that sends requests on their way, and all others to the router."""

    def __init__(self, app: ASGIApp, ways: Ways) -> None:
        self._app = app
        self._ways = ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        # Below a prefix the path begins otherwise, and the router takes that off.
        way = None
        if scope["type"] == "http" and not scope.get("root_path"):
            way = self._ways.find(scope["method"], scope.get("raw_path") or b"")
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["path_params"] = way.ids
        response = self._ways.refuse(way) or await self._ways.answer(way, Request(scope, receive, send))
        await response(scope, receive, send)


def _key(method: str, parts: list[str]) -> _Key:
    size = len(parts)
    return method, size, parts[4] if size > 4 else "", parts[6] if size > 6 else ""
