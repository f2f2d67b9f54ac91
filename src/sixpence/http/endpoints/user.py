"""The endpoints of a signed-in user: `credits`, `consume` and `history` as in the original; usage and explanations."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Callers, with_account
from sixpence.http.commands.command import Target
from sixpence.http.commands.consume import Consume
from sixpence.http.endpoints.history import statement
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, read_body
from sixpence.http.wire.queries import history_query, usage_query
from sixpence.http.wire.streamed_route import StreamedRoute
from sixpence.service.credits import CreditService


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
        body = await read_body(request, Consume, bytes_max=self._body_bytes_max)
        target = Target(user.id, "", idempotency_key(request), "")
        return await with_account(self._credits, user.id, lambda: body.run(self._credits, target))

    async def history(self, request: Request) -> Response:
        """A page of the user's transactions, newest first, without the names of operators."""
        user = await self._callers.user(request)
        query = history_query(request)
        page = await with_account(self._credits, user.id, lambda: self._credits.get_credit_history(user.id, **query))
        return responses.history(page.without_actors())

    async def usage(self, request: Request) -> Response:
        """What the user used, by day and feature."""
        user = await self._callers.user(request)
        query = usage_query(request)
        used = await with_account(self._credits, user.id, lambda: self._credits.get_usage(user.id, **query))
        return responses.usage(used)

    async def statement(self, request: Request) -> Response:
        """The user's statement for a period."""
        user = await self._callers.user(request)
        return await with_account(
            self._credits, user.id, lambda: statement(request, self._credits, user.id, actors=False)
        )

    async def explain(self, request: Request) -> Response:
        """Why the user's balance is what it is."""
        user = await self._callers.user(request)
        explanation = await with_account(self._credits, user.id, lambda: self._credits.explain_account(user.id))
        return responses.json(explanation)
