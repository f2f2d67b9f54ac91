"""Who is calling: a signed-in user by the cookie, an operator, or a server by its API key.

The caller is checked before the body is read. A change that carries a cookie must come from an allowed page.
"""

import secrets
from collections.abc import Awaitable, Callable, Collection
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from sixpence.auth.api_keys import ApiKey, ApiKeys
from sixpence.auth.sign_in import EmbeddedSignIn
from sixpence.auth.user import User
from sixpence.core.errors import InvalidInputError, NotPermittedError
from sixpence.core.refusals import AccountNotFoundError
from sixpence.http.callers.cookies import find_user
from sixpence.http.callers.origin import OriginRefusedError, check_origin
from sixpence.http.wire.errors import CallerError, ForbiddenError, InvalidApiKeyError, NotSignedInError
from sixpence.service.credits import CreditService
from sixpence.service.operations.base import with_api_key

T = TypeVar("T")
# Raises for a request that is not allowed; returns the name to record with the change.
IdentifyActor = Callable[[Request], Awaitable[str]]
# An endpoint, and one that is given the credits that its caller may use.
Endpoint = Callable[[Request], Awaitable[Response]]
CreditEndpoint = Callable[[Request, CreditService], Awaitable[Response]]
Admission = Callable[[CreditEndpoint], Endpoint]

LOCAL_OPERATOR = "local operator"
NO_KEY = "Send an API key as 'Authorization: Bearer KEY'. Make one: sixpence key create."


class Callers:
    """Identifies callers. `local_operator_token` is the bearer token of the command line on this machine, if any."""

    def __init__(
        self,
        sign_in: EmbeddedSignIn,
        api_keys: ApiKeys,
        *,
        base_url: str,
        origins: Collection[str],
        local_operator_token: str = "",
    ) -> None:
        self._sign_in = sign_in
        self._api_keys = api_keys
        self._base_url = base_url
        self._origins = origins
        self._local_operator_token = local_operator_token

    async def user(self, request: Request) -> User:
        """The signed-in user; raises `NotSignedInError`, and `ForbiddenError` for a change from a foreign page."""
        try:
            check_origin(request, self._origins)
        except OriginRefusedError as error:
            raise ForbiddenError(str(error)) from None
        user = await find_user(request, self._sign_in, base_url=self._base_url)
        if user is None:
            raise NotSignedInError("Sign in first: POST /api/auth/sign-in/email.")
        return user

    async def operator(self, request: Request) -> str:
        """The operator's name to record; raises as `user` does, and `ForbiddenError` for other users."""
        token = _bearer(request)
        expected = self._local_operator_token
        if token is not None and expected and secrets.compare_digest(token.encode(), expected.encode()):
            return LOCAL_OPERATOR
        user = await self.user(request)
        if user.role != "admin":
            raise ForbiddenError("This needs an operator. Ask one, or sign in as one.")
        return user.email

    async def server(self, request: Request) -> ApiKey:
        """The API key that the request has; raises `InvalidApiKeyError`."""
        token = _bearer(request)
        if token is None:
            raise InvalidApiKeyError(NO_KEY)
        key = await self._api_keys.find_key(token)
        if key is None:
            raise InvalidApiKeyError(str(NotPermittedError()))
        return key

    def server_admission(self, credits: CreditService) -> Admission:
        """Admits servers; the endpoint's own database query looks up their key."""

        def admit(endpoint: CreditEndpoint) -> Endpoint:
            async def admitted(request: Request) -> Response:
                try:
                    return await endpoint(request, with_api_key(credits, self._permit(request)))
                except NotPermittedError as error:
                    raise InvalidApiKeyError(str(error)) from None
                except (InvalidInputError, CallerError):
                    # Authentication comes before validation.
                    await self.server(request)
                    raise

            return admitted

        return admit

    def operator_admission(self, credits: CreditService) -> Admission:
        """Admits operators."""

        def admit(endpoint: CreditEndpoint) -> Endpoint:
            async def admitted(request: Request) -> Response:
                await self.operator(request)
                return await endpoint(request, credits)

            return admitted

        return admit

    def _permit(self, request: Request) -> bytes:
        token = _bearer(request)
        if token is None:
            raise InvalidApiKeyError(NO_KEY)
        permit = self._api_keys.key_hash_of(token)
        if permit is None:
            raise InvalidApiKeyError(str(NotPermittedError()))
        return permit

    async def admitted_server(self, request: Request, credits: CreditService) -> tuple[str, CreditService]:
        """The server's name to record, and credits that work while its key is valid; raises as `server` does.

        Once the key is revoked, each operation of these credits raises `NotPermittedError`.
        """
        name = await self.server_name(request)
        return name, with_api_key(credits, self._permit(request))

    async def server_name(self, request: Request) -> str:
        """The server's name to record; raises as `server` does."""
        return f"API key {(await self.server(request)).name}"


async def with_account(credits: CreditService, account_id: str, operation: Callable[[], Awaitable[T]]) -> T:
    """The result of `operation` on a signed-in user's account, which is made first if it does not exist yet.

    The hook at sign-up usually makes it; this guarantees it, once, however many first requests there are.
    """
    try:
        return await operation()
    except AccountNotFoundError:
        await credits.initialize_user_credits(account_id)
        return await operation()


def _bearer(request: Request) -> str | None:
    headers = request.scope["headers"]
    sent: bytes = next((value for name, value in headers if name == b"authorization"), b"")
    scheme, _, token = sent.decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None
