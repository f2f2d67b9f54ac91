"""The past of an account: its balance at an instant, statements as JSON, text and CSV, and explanations."""

from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sixpence.http.callers.callers import Admission
from sixpence.http.wire import responses
from sixpence.http.wire.paths import account_id_in, id_in
from sixpence.http.wire.queries import balance_query, statement_query
from sixpence.http.wire.streamed_route import StreamedRoute
from sixpence.service.credits import CreditService

_MEDIA_TYPES = {"text": "text/plain", "csv": "text/csv"}


def history_routes(at: str, admit: Admission) -> list[Route]:
    """The routes below the account's path `at`, for callers that `admit` admits."""
    return [
        Route(f"{at}/balance", admit(_balance), methods=["GET"]),
        StreamedRoute(f"{at}/statement", admit(_statement), methods=["GET"]),
        Route(f"{at}/explain", admit(_explain), methods=["GET"]),
        Route(f"{at}/transactions/{{transaction_id}}/explain", admit(_explain_transaction), methods=["GET"]),
    ]


async def statement(request: Request, credits: CreditService, account_id: str, *, actors: bool) -> Response:
    """An account's statement in the requested format; text and CSV are streamed, whatever their length.

    Its user gets it without `actors`: operators' names are for operators and servers.
    """
    period, form = statement_query(request)
    if form == "json":
        return responses.json(await credits.get_statement(account_id, **period, actors=actors))
    pieces = credits.stream_statement(account_id, **period, form=form, actors=actors)
    # Read before the response starts, so that a refusal is still a problem document.
    first = await anext(pieces)
    return StreamingResponse(
        _prepend(first, pieces), headers={"Cache-Control": "no-store"}, media_type=_MEDIA_TYPES[form]
    )


async def _balance(request: Request, credits: CreditService) -> Response:
    """What an account had at an instant."""
    return responses.json(await credits.balance_at(account_id_in(request), **balance_query(request)))


async def _statement(request: Request, credits: CreditService) -> Response:
    """An account's statement for a period."""
    return await statement(request, credits, account_id_in(request), actors=True)


async def _explain(request: Request, credits: CreditService) -> Response:
    """Why an account's balance is what it is."""
    return responses.json(await credits.explain_account(account_id_in(request)))


async def _explain_transaction(request: Request, credits: CreditService) -> Response:
    """Why a transaction is what it is."""
    account_id, transaction_id = account_id_in(request), id_in(request, "transaction_id")
    return responses.json(await credits.explain_transaction(account_id, transaction_id))


async def _prepend(first: str, pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in pieces:
        yield piece
