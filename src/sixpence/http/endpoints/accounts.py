"""The endpoints for servers with an API key: accounts by the app's own ids, under `/v1`.

Not here: holds, corrections, plans, usage, looking back and estimates, whose routes are added.
"""

from collections.abc import Awaitable
from datetime import datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.core.values.instant import from_wire, to_datetime
from sixpence.http.callers.callers import Callers
from sixpence.http.endpoints.corrections import correction_routes
from sixpence.http.endpoints.estimates import estimate_routes
from sixpence.http.endpoints.history import looking_back_routes
from sixpence.http.endpoints.holds import hold_routes
from sixpence.http.endpoints.plans import plan_routes
from sixpence.http.endpoints.usage import usage_routes
from sixpence.http.endpoints.user import Consumption, consume
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.wire.paths import account_id_in
from sixpence.http.wire.queries import history_query
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import OpenedAccount, Receipt


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """The body that makes an account."""

    account_id: str
    label: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class NewGrant(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a grant; times are ISO 8601 with an offset."""

    amount: int
    reason: str
    category: str | None = None
    priority: int | None = None
    effective_at: str | None = None
    expires_at: str | None = None
    features: list[str] | None = None
    source_key: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def make_account(credits: CreditService, asked: NewAccount, key: str | None) -> Awaitable[OpenedAccount]:
    """The account that a body describes."""
    return credits.initialize_user_credits(
        asked.account_id, label=asked.label, metadata=metadata_of(asked.metadata), idempotency_key=key
    )


def grant(
    credits: CreditService, account_id: str, asked: NewGrant, *, actor: str, key: str | None
) -> Awaitable[Receipt]:
    """The grant that a body describes, given by `actor`."""
    return credits.grant_credits(
        account_id,
        asked.amount,
        reason=asked.reason,
        category=asked.category,
        priority=asked.priority,
        effective_at=time_of("effective_at", asked.effective_at),
        expires_at=time_of("expires_at", asked.expires_at),
        features=asked.features,
        actor=actor,
        metadata=metadata_of(asked.metadata),
        source_key=asked.source_key,
        idempotency_key=key,
    )


def account_routes(credits: CreditService, callers: Callers, *, body_bytes_max: int) -> list[Route]:
    """The routes under `/v1`. An id is one path segment, percent-encoded: a slash in it is `%2F`."""
    api = _AccountsApi(credits, callers, body_bytes_max)
    account, who, admit = "/v1/accounts/{account_id}", callers.server_name, callers.server_admission(credits)
    return [
        Route("/v1/accounts", api.ensure, methods=["POST"]),
        Route(account, admit(_credits), methods=["GET"]),
        Route(f"{account}/consume", admit(api.consume), methods=["POST"]),
        Route(f"{account}/grants", api.grant, methods=["POST"]),
        Route(f"{account}/transactions", admit(_transactions), methods=["GET"]),
        *hold_routes(account, admit, body_bytes_max=body_bytes_max),
        *correction_routes(account, who, credits, body_bytes_max=body_bytes_max),
        *plan_routes(account, who, credits, body_bytes_max=body_bytes_max),
        *usage_routes(account, admit),
        *looking_back_routes(account, admit),
        *estimate_routes(credits, callers, body_bytes_max=body_bytes_max),
        Route("/v1/catalog", api.catalog, methods=["GET"]),
    ]


class _AccountsApi:
    def __init__(self, credits: CreditService, callers: Callers, body_bytes_max: int) -> None:
        self._credits = credits
        self._callers = callers
        self._body_bytes_max = body_bytes_max

    async def ensure(self, request: Request) -> Response:
        """Make an account, 201 when this made it and 200 when it was there."""
        await self._callers.server(request)
        asked = await read_body(request, NewAccount, bytes_max=self._body_bytes_max)
        return responses.opened(await make_account(self._credits, asked, idempotency_key(request)))

    async def consume(self, request: Request, credits: CreditService) -> Response:
        """Spend the price of one use."""
        account_id = account_id_in(request)
        asked = await read_body(request, Consumption, bytes_max=self._body_bytes_max)
        return responses.consumed(await consume(credits, account_id, asked, idempotency_key(request)))

    async def grant(self, request: Request) -> Response:
        """Give credits; the key's name is recorded as the one who did."""
        actor = await self._callers.server_name(request)
        account_id = account_id_in(request)
        asked = await read_body(request, NewGrant, bytes_max=self._body_bytes_max)
        key = idempotency_key(request)
        return responses.granted(await grant(self._credits, account_id, asked, actor=actor, key=key))

    async def catalog(self, request: Request) -> Response:
        """The catalog that prices now."""
        await self._callers.server(request)
        return responses.catalog(await self._credits.get_catalog())


async def _credits(request: Request, credits: CreditService) -> Response:
    """An account's credits now."""
    return responses.json(await credits.get_user_credits(account_id_in(request)))


async def _transactions(request: Request, credits: CreditService) -> Response:
    """A page of an account's transactions, newest first."""
    page = await credits.get_credit_history(account_id_in(request), **history_query(request))
    return responses.history(page)


def time_of(field: str, text: str | None) -> datetime | None:
    """The time that a field holds, None where there is none."""
    return None if text is None else to_datetime(from_wire(field, text))
