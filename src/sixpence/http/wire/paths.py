"""Ids in paths: one percent-encoded segment each, so that an id may hold a slash."""

from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from sixpence.core.errors import InvalidInputError

# Paths below these hold ids.
WITH_IDS = ("/v1/", "/api/admin/accounts/")


class EncodedPaths:
    """Routes paths with ids by the raw path, so that an id may hold a slash; `id_in` decodes it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its raw path."""
        # When the app is mounted below a prefix, both paths start with it.
        prefix = scope.get("root_path", "")
        if (
            scope["type"] == "http"
            and scope["path"].startswith(tuple(prefix + each for each in WITH_IDS))
            and scope.get("raw_path")
        ):
            scope = {**scope, "path": scope["raw_path"].decode("latin-1")}
        await self._app(scope, receive, send)


def account_id_in(request: Request) -> str:
    """The account's id."""
    return id_in(request, "account_id")


def id_in(request: Request, field: str) -> str:
    """The id of this name."""
    try:
        return unquote_to_bytes(request.path_params[field].encode("latin-1")).decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidInputError(field, "is not UTF-8. Percent-encode the id's UTF-8 bytes.") from None
