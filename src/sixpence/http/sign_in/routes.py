"""Sign-up, sign-in, sign-out and get-session: Better Auth's email-and-password paths over HTTP.

Errors are `{message, code}` with Better Auth's codes, unlike the rest of the API. Not here: the rules
(`sixpence.auth`), the cookie (`callers.cookies`), the bodies (`bodies`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.auth import errors
from sixpence.auth.client import Client
from sixpence.auth.session import SignedIn
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User, check_email
from sixpence.core.errors import CreditSystemError, InvalidInputError, UnavailableError
from sixpence.http.callers.client_address import Network, find_client_address
from sixpence.http.callers.cookies import clear_session_cookies, find_signed_in, find_token, set_session_cookies
from sixpence.http.callers.origin import OriginRefusedError, check_first_origin, check_origin, origins_of
from sixpence.http.sign_in.bodies import BodyRefusedError, read_empty, read_fields, session_to_wire, user_to_wire

HOOK_SECONDS_MAX = 3.0

# The answers of Better Auth in the same cases; it has no code of its own for a rate limit.
ANSWERS: Mapping[type[CreditSystemError], tuple[int, str]] = {
    errors.EmailTakenError: (422, "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL"),
    errors.WrongPasswordError: (401, "INVALID_EMAIL_OR_PASSWORD"),
    errors.PasswordTooShortError: (400, "PASSWORD_TOO_SHORT"),
    errors.PasswordTooLongError: (400, "PASSWORD_TOO_LONG"),
    errors.TooManySignInsError: (429, "TOO_MANY_REQUESTS"),
}

SignUpHook = Callable[[User], Awaitable[None]]
Endpoint = Callable[[Request], Awaitable[Response]]

_log = structlog.get_logger(__name__)


def sign_in_routes(
    sign_in: EmbeddedSignIn,
    *,
    base_url: str,
    allowed_origins: Collection[str],
    trusted_proxies: Sequence[Network],
    on_sign_up: SignUpHook,
) -> list[Route]:
    """The routes under `/api/auth`.

    `base_url` is where browsers find this server: with https the cookie is `Secure`, and its origin is always allowed.
    `on_sign_up` runs after a user is made, for three seconds at most; the user is signed up even when it fails.
    """
    api = _SignInApi(sign_in, base_url, allowed_origins, trusted_proxies, on_sign_up)
    return [
        Route("/api/auth/sign-up/email", _with_error_answers(api.sign_up), methods=["POST"]),
        Route("/api/auth/sign-in/email", _with_error_answers(api.sign_in), methods=["POST"]),
        Route("/api/auth/sign-out", _with_error_answers(api.sign_out), methods=["POST"]),
        Route("/api/auth/get-session", _with_error_answers(api.get_session), methods=["GET"]),
    ]


class _SignInApi:
    def __init__(
        self,
        sign_in: EmbeddedSignIn,
        base_url: str,
        allowed_origins: Collection[str],
        trusted_proxies: Sequence[Network],
        on_sign_up: SignUpHook,
    ) -> None:
        self._sign_in = sign_in
        self._base_url = base_url
        self._allowed = origins_of([base_url, *allowed_origins])
        self._trusted_proxies = trusted_proxies
        self._on_sign_up = on_sign_up

    async def sign_up(self, request: Request) -> Response:
        check_first_origin(request, self._allowed)
        fields = await read_fields(request, {"name": str, "email": str, "password": str}, {"rememberMe": bool})
        signed_in = await self._sign_in.sign_up(
            email=fields["email"],
            name=fields["name"],
            password=fields["password"],
            remember=fields.get("rememberMe", True),
            client=self._client(request),
        )
        _log.info("signed_up", user_id=signed_in.user.id)
        await _run_hook(self._on_sign_up, signed_in.user)
        return self._welcome(request, signed_in, {})

    async def sign_in(self, request: Request) -> Response:
        check_first_origin(request, self._allowed)
        fields = await read_fields(request, {"email": str, "password": str}, {"rememberMe": bool})
        signed_in = await self._sign_in.sign_in(
            email=_sign_in_email(fields["email"]),
            password=fields["password"],
            remember=fields.get("rememberMe", True),
            client=self._client(request),
        )
        _log.info("signed_in", user_id=signed_in.user.id)
        return self._welcome(request, signed_in, {"redirect": False})

    async def sign_out(self, request: Request) -> Response:
        check_origin(request, self._allowed)
        await read_empty(request)
        token = find_token(request, self._sign_in, base_url=self._base_url)
        if token is not None:
            await self._sign_in.sign_out(token)
        response = _json({"success": True})
        clear_session_cookies(response, base_url=self._base_url)
        return response

    async def get_session(self, request: Request) -> Response:
        found = await find_signed_in(request, self._sign_in, base_url=self._base_url)
        return _json(None if found is None else {"session": session_to_wire(found), "user": user_to_wire(found.user)})

    def _client(self, request: Request) -> Client:
        return Client(find_client_address(request, self._trusted_proxies), request.headers.get("user-agent"))

    def _welcome(self, request: Request, signed_in: SignedIn, more: dict[str, object]) -> Response:
        response = _json({**more, "token": signed_in.token, "user": user_to_wire(signed_in.user)})
        set_session_cookies(request, response, self._sign_in, signed_in, base_url=self._base_url)
        return response


def _sign_in_email(email: str) -> str:
    try:
        return check_email(email)
    except InvalidInputError as error:
        # On this path alone Better Auth has a code for it.
        raise BodyRefusedError(400, "INVALID_EMAIL", f"[body.email] {error.problem}") from None


async def _run_hook(hook: SignUpHook, user: User) -> None:
    try:
        async with asyncio.timeout(HOOK_SECONDS_MAX):
            await hook(user)
    except Exception as error:  # noqa: BLE001 - the user is signed up whatever the app's hook raises
        _log.warning("sign_up_hook_failed", user_id=user.id, error=type(error).__name__)
        _log.debug("sign_up_hook_failed", user_id=user.id, exc_info=True)


def _with_error_answers(endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except BodyRefusedError as error:
            return _refusal(error.status, error.code, str(error))
        except OriginRefusedError as error:
            code = "MISSING_OR_NULL_ORIGIN" if error.origin is None else "INVALID_ORIGIN"
            _log.warning("origin_refused", path=request.url.path, origin=error.origin)
            return _refusal(403, code, str(error))
        except InvalidInputError as error:
            return _refusal(400, "VALIDATION_ERROR", f"[body.{error.field}] {error.problem}")
        except UnavailableError as error:
            return _refusal(503, "SERVICE_UNAVAILABLE", str(error), error.retry_after_seconds)
        except errors.TooManySignInsError as error:
            _log.warning("sign_in_throttled", retry_after_seconds=error.retry_after_seconds)
            return _refusal(*ANSWERS[type(error)], str(error), error.retry_after_seconds)
        except errors.AuthError as error:
            _log.info("sign_in_refused", code=error.code)
            return _refusal(*ANSWERS[type(error)], str(error))

    return answer


def _refusal(status: int, code: str, message: str, retry_after_seconds: int | None = None) -> Response:
    response = _json({"message": message, "code": code}, status)
    if retry_after_seconds is not None:
        response.headers["retry-after"] = str(retry_after_seconds)
    return response


def _json(value: Any, status: int = 200) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")
