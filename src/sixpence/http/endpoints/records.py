"""Reads of an account's records for servers and operators: its open holds, and one transaction."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Admission, IdentifyActor
from sixpence.http.wire import responses
from sixpence.http.wire.paths import account_id_in, id_in
from sixpence.http.wire.queries import limit_query
from sixpence.service.credits import CreditService


def record_routes(at: str, *, admit: Admission, identify_actor: IdentifyActor, credits: CreditService) -> list[Route]:
    """The routes below the account's path `at`."""

    async def transaction(request: Request) -> Response:
        await identify_actor(request)
        row = await credits.get_transaction(account_id_in(request), id_in(request, "transaction_id"))
        return responses.json(row.wire_fields())

    return [
        Route(f"{at}/holds", admit(_open_holds), methods=["GET"]),
        Route(f"{at}/transactions/{{transaction_id}}", transaction, methods=["GET"]),
    ]


async def _open_holds(request: Request, credits: CreditService) -> Response:
    return responses.holds(await credits.list_holds(account_id_in(request), limit=limit_query(request)))
