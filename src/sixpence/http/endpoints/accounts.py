"""The endpoints for servers with an API key: accounts by the app's own ids, under `/v1`.

The routes of `commands`, `records`, `usage`, `history` and `estimates` are added here.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Callers
from sixpence.http.commands.command import Target
from sixpence.http.commands.grants import EnsureAccount
from sixpence.http.endpoints.commands import SERVER_COMMANDS, command_routes
from sixpence.http.endpoints.estimates import estimate_routes
from sixpence.http.endpoints.history import history_routes
from sixpence.http.endpoints.records import record_routes
from sixpence.http.endpoints.usage import usage_routes
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, read_body
from sixpence.http.wire.paths import account_id_in
from sixpence.http.wire.queries import history_query
from sixpence.service.credits import CreditService


def account_routes(credits: CreditService, callers: Callers, *, body_bytes_max: int) -> list[Route]:
    """The routes under `/v1`. An id is one path segment, percent-encoded: a slash in it is `%2F`."""
    api = _AccountsApi(credits, callers, body_bytes_max)
    account, identify_actor, admit = "/v1/accounts/{account_id}", callers.server_name, callers.server_admission(credits)
    return [
        Route("/v1/accounts", api.ensure, methods=["POST"]),
        Route(account, admit(_credits), methods=["GET"]),
        Route(f"{account}/transactions", admit(_transactions), methods=["GET"]),
        *record_routes(account, admit=admit, identify_actor=identify_actor, credits=credits),
        *command_routes(
            account,
            SERVER_COMMANDS,
            admit=admit,
            identify_actor=identify_actor,
            credits=credits,
            body_bytes_max=body_bytes_max,
        ),
        *usage_routes(account, admit),
        *history_routes(account, admit),
        *estimate_routes(credits, callers, body_bytes_max=body_bytes_max),
        Route("/v1/catalog", api.catalog, methods=["GET"]),
    ]


class _AccountsApi:
    def __init__(self, credits: CreditService, callers: Callers, body_bytes_max: int) -> None:
        self._credits = credits
        self._callers = callers
        self._body_bytes_max = body_bytes_max

    async def ensure(self, request: Request) -> Response:
        """Make an account: 201 when this request made it, 200 when it existed."""
        await self._callers.server(request)
        body = await read_body(request, EnsureAccount, bytes_max=self._body_bytes_max)
        return await body.run(self._credits, Target(body.account_id, "", idempotency_key(request), ""))

    async def catalog(self, request: Request) -> Response:
        """The catalog in force."""
        await self._callers.server(request)
        return responses.catalog(await self._credits.get_catalog())


async def _credits(request: Request, credits: CreditService) -> Response:
    """An account's credits now."""
    return responses.json(await credits.get_user_credits(account_id_in(request)))


async def _transactions(request: Request, credits: CreditService) -> Response:
    """A page of an account's transactions, newest first."""
    page = await credits.get_credit_history(account_id_in(request), **history_query(request))
    return responses.history(page)
