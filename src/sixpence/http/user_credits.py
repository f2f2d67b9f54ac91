"""The endpoints of a signed-in user, as in the original: `/api/user/credits`, `consume` and `history`."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.core.bounds import shown
from sixpence.core.errors import InvalidInputError
from sixpence.core.instant import from_wire, to_datetime
from sixpence.http import answers
from sixpence.http.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.callers import Callers, with_account
from sixpence.ledger.reader import PAGE_MAX
from sixpence.service.credits import PAGE_SIZE, CreditService

QUERY = ("limit", "cursor", "feature", "kind", "since", "until")


class Consumption(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a use."""

    feature: str
    generation_id: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def user_routes(credits: CreditService, callers: Callers, *, body_bytes_max: int) -> list[Route]:
    """The routes under `/api/user`."""
    api = _UserApi(credits, callers, body_bytes_max)
    return [
        Route("/api/user/credits", api.credits, methods=["GET"]),
        Route("/api/user/credits/consume", api.consume, methods=["POST"]),
        Route("/api/user/credits/history", api.history, methods=["GET"]),
    ]


def history_query(request: Request) -> dict[str, Any]:
    """The arguments of `get_credit_history` that a query string names."""
    query = _query(request)
    limit = query.get("limit", str(PAGE_SIZE))
    if not (limit.isascii() and limit.isdigit() and len(limit) <= 6):
        raise InvalidInputError("limit", f"{shown(limit)} is not a whole number from 1 to {PAGE_MAX}.")
    arguments: dict[str, Any] = {name: query[name] for name in ("cursor", "feature", "kind") if name in query}
    for name in ("since", "until"):
        if name in query:
            arguments[name] = to_datetime(from_wire(name, query[name]))
    return {"limit": int(limit), **arguments}


def _query(request: Request) -> dict[str, str]:
    try:
        text = request.scope["query_string"].decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise InvalidInputError("query", "is not UTF-8. Percent-encode the UTF-8 bytes of each value.") from None
    query = dict(pairs)
    for name in query:
        if name not in QUERY:
            known = ", ".join(QUERY)
            raise InvalidInputError(name[:60], f"is not a parameter of this request. Leave it out; known: {known}.")
    if len(query) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in QUERY if names.count(name) > 1)
        raise InvalidInputError(twice, f"was sent {names.count(twice)} times. Send it once.")
    return query


class _UserApi:
    def __init__(self, credits: CreditService, callers: Callers, body_bytes_max: int) -> None:
        self._credits = credits
        self._callers = callers
        self._body_bytes_max = body_bytes_max

    async def credits(self, request: Request) -> Response:
        """The signed-in user's credits now."""
        user = await self._callers.user(request)
        return answers.json(await with_account(self._credits, user.id, lambda: self._credits.get_user_credits(user.id)))

    async def consume(self, request: Request) -> Response:
        """Spend the price of one use."""
        user = await self._callers.user(request)
        asked = await read_body(request, Consumption, bytes_max=self._body_bytes_max)
        metadata = metadata_of(asked.metadata)
        key = idempotency_key(request)
        receipt = await with_account(
            self._credits,
            user.id,
            lambda: self._credits.consume_credit(
                user.id,
                asked.feature,
                generation_id=asked.generation_id,
                metadata=metadata,
                idempotency_key=key,
            ),
        )
        return answers.consumed(receipt)

    async def history(self, request: Request) -> Response:
        """A page of the user's transactions, newest first."""
        user = await self._callers.user(request)
        query = history_query(request)
        page = await with_account(self._credits, user.id, lambda: self._credits.get_credit_history(user.id, **query))
        return answers.history(page)
