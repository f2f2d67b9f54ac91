"""The endpoints that estimate the price of a use: by the catalog, and for one account. Nothing is spent."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Callers
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import read_body
from sixpence.http.wire.paths import account_id_in
from sixpence.http.wire.queries import estimate_query
from sixpence.http.wire.usage import TokenUsage, usage_in
from sixpence.service.credits import CreditService


class PlannedUse(msgspec.Struct, forbid_unknown_fields=True):
    """A use to estimate."""

    feature: str
    units: int | None = None
    usage: TokenUsage | None = None


def estimate_routes(credits: CreditService, callers: Callers, *, body_bytes_max: int) -> list[Route]:
    """The routes `/v1/estimate` and `/v1/accounts/{account_id}/estimate`."""

    async def by_catalog(request: Request) -> Response:
        await callers.server(request)
        return responses.json(await credits.estimate(**estimate_query(request)))

    async def for_account(request: Request) -> Response:
        await callers.server(request)
        account_id = account_id_in(request)
        body = await read_body(request, PlannedUse, bytes_max=body_bytes_max)
        used: dict[str, Any] = {"units": body.units, "usage": usage_in(body.usage)}
        estimate = await credits.estimate(body.feature, **used)
        if estimate.price is None:
            # The price is unknown, so whether the account can pay it is unknown, too.
            account = await credits.get_user_credits(account_id)
            check = {"allowed": None, "required": None, "remaining": account.remaining, "unlimited": account.unlimited}
        else:
            check = msgspec.structs.asdict(await credits.validate_credit_usage(account_id, body.feature, **used))
        return responses.json({**msgspec.structs.asdict(estimate), **check})

    return [
        Route("/v1/estimate", by_catalog, methods=["GET"]),
        Route("/v1/accounts/{account_id}/estimate", for_account, methods=["POST"]),
    ]
