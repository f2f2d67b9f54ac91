"""The defence against cross-site requests: the `Origin` header of a change.

Not here: CORS, and the body of a refusal.
"""

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from starlette.requests import Request

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Only browsers send these, and a page cannot remove them.
_FETCH_METADATA = ("sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest")


class OriginRefusedError(Exception):
    """A request from a page that is not allowed; `origin` is None when the request did not name one."""

    def __init__(self, origin: str | None) -> None:
        super().__init__(origin)
        self.origin = origin

    def __str__(self) -> str:
        if self.origin is None:
            return "Missing or null Origin. Send the request from a page of this site."
        return "Invalid origin. Add it to SIXPENCE_ALLOWED_ORIGINS if the page is yours."


def origin_of(url: str) -> str:
    """`https://example.com` for a URL of that site, as a browser writes it; raises `ValueError` for anything else."""
    parts = urlsplit(url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError(f"{url!r} has no origin. Send one like https://example.com.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def origins_of(urls: Iterable[str]) -> frozenset[str]:
    """The origins of several URLs, for the checks below."""
    return frozenset(origin_of(url) for url in urls)


def check_origin(request: Request, allowed: Collection[str]) -> None:
    """Refuse a change that carries cookies unless an allowed page sends it; raises `OriginRefusedError`."""
    if request.method not in _SAFE_METHODS and "cookie" in request.headers:
        _check(request, allowed)


def check_first_origin(request: Request, allowed: Collection[str]) -> None:
    """As `check_origin`, for a sign-in, where there is no cookie yet: every browser must send it from an allowed page.

    So no other site can sign its visitor in as somebody else. Other clients send no such headers and pass.
    Source: Better Auth 1.7.
    """
    browser = "origin" in request.headers or any(name in request.headers for name in _FETCH_METADATA)
    if browser:
        _check(request, allowed)
    else:
        check_origin(request, allowed)


def _check(request: Request, allowed: Collection[str]) -> None:
    origin = request.headers.get("origin")
    if origin in (None, "", "null"):
        raise OriginRefusedError(None)
    if origin not in allowed:
        raise OriginRefusedError(origin)
