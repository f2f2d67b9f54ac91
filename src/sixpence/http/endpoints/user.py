"""The endpoints of a signed-in user: `credits`, `consume`, `history` as in the original, and what tells more."""

from collections.abc import Awaitable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Callers, with_account
from sixpence.http.endpoints.history import statement
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.wire.queries import history_query, usage_query
from sixpence.http.wire.streamed_route import StreamedRoute
from sixpence.http.wire.usage import TokenUsage, usage_in
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import Receipt


class Consumption(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a use."""

    feature: str
    units: int | None = None
    usage: TokenUsage | None = None
    generation_id: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def consume(credits: CreditService, account_id: str, asked: Consumption, key: str | None) -> Awaitable[Receipt]:
    """The use that a body describes."""
    return credits.consume_credit(
        account_id,
        asked.feature,
        units=asked.units,
        usage=usage_in(asked.usage),
        generation_id=asked.generation_id,
        metadata=metadata_of(asked.metadata),
        idempotency_key=key,
    )


def user_routes(credits: CreditService, callers: Callers, *, body_bytes_max: int) -> list[Route]:
    """The routes under `/api/user`."""
    api = _UserApi(credits, callers, body_bytes_max)
    return [
        Route("/api/user/credits", api.credits, methods=["GET"]),
        Route("/api/user/credits/consume", api.consume, methods=["POST"]),
        Route("/api/user/credits/history", api.history, methods=["GET"]),
        Route("/api/user/credits/usage", api.usage, methods=["GET"]),
        StreamedRoute("/api/user/credits/statement", api.statement, methods=["GET"]),
        Route("/api/user/credits/explain", api.explain, methods=["GET"]),
    ]


class _UserApi:
    def __init__(self, credits: CreditService, callers: Callers, body_bytes_max: int) -> None:
        self._credits = credits
        self._callers = callers
        self._body_bytes_max = body_bytes_max

    async def credits(self, request: Request) -> Response:
        """The signed-in user's credits now."""
        user = await self._callers.user(request)
        return responses.json(
            await with_account(self._credits, user.id, lambda: self._credits.get_user_credits(user.id))
        )

    async def consume(self, request: Request) -> Response:
        """Spend the price of one use."""
        user = await self._callers.user(request)
        asked = await read_body(request, Consumption, bytes_max=self._body_bytes_max)
        key = idempotency_key(request)
        receipt = await with_account(self._credits, user.id, lambda: consume(self._credits, user.id, asked, key))
        return responses.consumed(receipt)

    async def history(self, request: Request) -> Response:
        """A page of the user's transactions, newest first."""
        user = await self._callers.user(request)
        query = history_query(request)
        page = await with_account(self._credits, user.id, lambda: self._credits.get_credit_history(user.id, **query))
        return responses.history(page)

    async def usage(self, request: Request) -> Response:
        """What the user used, by day and feature."""
        user = await self._callers.user(request)
        query = usage_query(request)
        used = await with_account(self._credits, user.id, lambda: self._credits.get_usage(user.id, **query))
        return responses.usage(used)

    async def statement(self, request: Request) -> Response:
        """The user's statement for a period."""
        user = await self._callers.user(request)
        return await with_account(self._credits, user.id, lambda: statement(request, self._credits, user.id))

    async def explain(self, request: Request) -> Response:
        """Why the user's balance is what it is."""
        user = await self._callers.user(request)
        told = await with_account(self._credits, user.id, lambda: self._credits.explain_account(user.id))
        return responses.json(told)
