"""The page's own files and the sample rooms, read once and served from memory; no request reaches the file system.

Each has an ETag: a browser that has the file revalidates it and gets a 304.
"""

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence_studio.endpoints.catalog import room_path
from sixpence_studio.rooms import ROOMS

PAGE = Path(__file__).parents[1] / "page"
MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".txt": "text/plain",
    ".jpg": "image/jpeg",
}
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Endpoint = Callable[[Request], Awaitable[Response]]


def page_routes() -> list[Route]:
    """Return the routes of the page at `/`, of each of its files, and of the sample rooms' pictures."""
    files = [path for path in sorted(PAGE.rglob("*")) if path.suffix in MEDIA_TYPES]
    routes = [Route(f"/{path.relative_to(PAGE).as_posix()}", _serving(path), methods=["GET"]) for path in files]
    rooms = [Route(room_path(room), _serving(room.path), methods=["GET"]) for room in ROOMS]
    return [Route("/", _serving(PAGE / "index.html"), methods=["GET"]), *routes, *rooms]


def _serving(path: Path) -> Endpoint:
    body = path.read_bytes()
    headers = {**HEADERS, "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"'}

    async def serve(request: Request) -> Response:
        known = request.headers.get("if-none-match", "")
        if headers["ETag"] in [tag.strip().removeprefix("W/") for tag in known.split(",")]:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type=MEDIA_TYPES[path.suffix])

    return serve
