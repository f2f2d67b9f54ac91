"""The way to the endpoints below an account's path without the router, which tries one route after another.

An app asks for these with every generation, and the router costs more than what it leads to. The endpoints are the same
ones; what is not found here goes on to the router.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sixpence.http.boundary import Handler, Handlers

# Segments of `/v1/accounts/{account_id}/WORD/{id}/WORD`: the empty one before the first slash is number 0.
_BASE = ["", "v1", "accounts"]
_WORDS = (4, 6)
_IDS = (3, 5)
_SEGMENTS_MAX = 7

_Key = tuple[str, int, str, str]


class Shortcut:
    """Answers requests below an account's path; `handlers` answer what their endpoints raise, as the router's do."""

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], handlers: Handlers) -> None:
        self._app = app
        self._handlers = handlers
        self._ways: dict[_Key, tuple[Route, list[str]]] = {}
        for route in routes:
            if isinstance(route, Route):
                self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or pass it on."""
        way = self._way_of(scope)
        if way is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await way.endpoint(request)
        except Exception as error:
            handler = self._handler_of(error)
            if handler is None:
                raise
            response = await handler(request, error)
        await response(scope, receive, send)

    def _add(self, route: Route) -> None:
        parts = route.path.split("/")
        if parts[:3] != _BASE or not 4 <= len(parts) <= _SEGMENTS_MAX:
            return
        names = [parts[place][1:-1] for place in _IDS if place < len(parts)]
        for method in (route.methods or set()) - {"HEAD"}:
            self._ways[_key(method, parts)] = (route, names)

    def _way_of(self, scope: Scope) -> Route | None:
        """The route of the request, its ids set in the scope; None where the router has to look."""
        # Below a prefix the path begins otherwise, and the router takes that off.
        if scope["type"] != "http" or scope.get("root_path"):
            return None
        raw_path: bytes = scope.get("raw_path") or b""
        parts = raw_path.decode("latin-1").split("/")
        if not 4 <= len(parts) <= _SEGMENTS_MAX or parts[:3] != _BASE:
            return None
        way = self._ways.get(_key(scope["method"], parts))
        if way is None:
            return None
        route, names = way
        ids = dict(zip(names, parts[3::2], strict=True))
        if not all(ids.values()):
            return None
        scope["path_params"] = ids
        return route

    def _handler_of(self, error: Exception) -> Handler | None:
        """What answers this error; what is nobody's refusal goes on to the application's own last handler."""
        kinds = type(error).__mro__
        return next((self._handlers[kind] for kind in kinds if kind is not Exception and kind in self._handlers), None)


def _key(method: str, parts: list[str]) -> _Key:
    size = len(parts)
    first, second = (parts[place] if place < size else "" for place in _WORDS)
    return method, size, first, second
