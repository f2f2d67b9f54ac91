"""The session cookie, as Better Auth writes it: its names, its attributes, and the session that it names.

Not here: the format of the value (`sixpence.auth.tokens`).
"""

from starlette.requests import Request
from starlette.responses import Response

from sixpence.auth.session import REMEMBERED_DURATION, SignedIn
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User
from sixpence.core.values.instant import SECOND

_SESSION = "better-auth.session_token"
# Beside a session that ends with the browser.
_DONT_REMEMBER = "better-auth.dont_remember"


async def find_user(request: Request, sign_in: EmbeddedSignIn, *, base_url: str) -> User | None:
    """The user whose session the request's cookie names; None when the cookie is missing, ended or forged."""
    found = await find_signed_in(request, sign_in, base_url=base_url)
    return None if found is None else found.user


async def find_signed_in(request: Request, sign_in: EmbeddedSignIn, *, base_url: str) -> SignedIn | None:
    """As `find_user`, with the session."""
    token = find_token(request, sign_in, base_url=base_url)
    return None if token is None else await sign_in.find_session(token)


def find_token(request: Request, sign_in: EmbeddedSignIn, *, base_url: str) -> str | None:
    """The token in the request's cookie if its signature is right; the session may have ended long ago."""
    # On https the name without the prefix is ignored: any page of a sister domain could have set it.
    value = request.cookies.get(_name(_SESSION, base_url))
    return None if value is None else sign_in.find_signed(value)


def set_session_cookies(
    request: Request, response: Response, sign_in: EmbeddedSignIn, signed_in: SignedIn, *, base_url: str
) -> None:
    """Give the browser its session; the cookie has an expiry only when the session is to be remembered."""
    remember = signed_in.session.remember
    value = sign_in.sign(signed_in.token)
    _set(response, _SESSION, value, base_url, max_age_seconds=REMEMBERED_DURATION // SECOND if remember else None)
    if not remember:
        _set(response, _DONT_REMEMBER, sign_in.sign("true"), base_url, max_age_seconds=None)
    elif _name(_DONT_REMEMBER, base_url) in request.cookies:
        _set(response, _DONT_REMEMBER, "", base_url, max_age_seconds=0)


def clear_session_cookies(response: Response, *, base_url: str) -> None:
    """Make the browser forget its session."""
    for cookie in (_SESSION, _DONT_REMEMBER):
        _set(response, cookie, "", base_url, max_age_seconds=0)


def _set(response: Response, cookie: str, value: str, base_url: str, *, max_age_seconds: int | None) -> None:
    age = [] if max_age_seconds is None else [f"Max-Age={max_age_seconds}"]
    secure = ["Secure"] if _is_secure(base_url) else []
    parts = [f"{_name(cookie, base_url)}={value}", *age, "Path=/", "HttpOnly", *secure, "SameSite=Lax"]
    response.headers.append("set-cookie", "; ".join(parts))


def _name(cookie: str, base_url: str) -> str:
    return f"__Secure-{cookie}" if _is_secure(base_url) else cookie


def _is_secure(base_url: str) -> bool:
    return base_url.lower().startswith("https://")
