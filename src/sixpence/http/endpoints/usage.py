"""The endpoint on an account's usage by day, for servers and for operators."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Admission
from sixpence.http.wire import responses
from sixpence.http.wire.paths import account_id_in
from sixpence.http.wire.queries import usage_query
from sixpence.service.credits import CreditService


def usage_routes(at: str, admit: Admission) -> list[Route]:
    """The route below the account's path `at`, for callers that `admit` admits."""
    return [Route(f"{at}/usage", admit(_usage), methods=["GET"])]


async def _usage(request: Request, credits: CreditService) -> Response:
    """What was used, by day and feature, newest first."""
    return responses.usage(await credits.get_usage(account_id_in(request), **usage_query(request)))
