"""The endpoints that put right what was charged or given: refunds, voids and corrections. Who did it is recorded."""

from collections.abc import Awaitable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Who
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.wire.paths import account_id_in, id_in
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import Refund


class NewRefund(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a refund; without an amount all that is left is given back."""

    amount: int | None = None
    reason: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Void(msgspec.Struct, forbid_unknown_fields=True):
    """The body that voids a grant."""

    revoke_spent: bool = False
    reason: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a correction: up, or (with a negative amount) down."""

    amount: int
    reason: str
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def refund(
    credits: CreditService, account_id: str, transaction_id: str, asked: NewRefund, *, actor: str, key: str | None
) -> Awaitable[Refund]:
    """The refund that a body describes, given by `actor`."""
    return credits.refund(
        account_id,
        transaction_id,
        amount=asked.amount,
        reason=asked.reason,
        actor=actor,
        metadata=metadata_of(asked.metadata),
        idempotency_key=key,
    )


def correction_routes(at: str, who: Who, credits: CreditService, *, body_bytes_max: int) -> list[Route]:
    """The routes below the account's path `at`, for whom `who` lets through."""
    api = _CorrectionsApi(who, credits, body_bytes_max)
    return [
        Route(f"{at}/transactions/{{transaction_id}}", api.transaction, methods=["GET"]),
        Route(f"{at}/transactions/{{transaction_id}}/refund", api.refund, methods=["POST"]),
        Route(f"{at}/grants/{{grant_id}}/void", api.void, methods=["POST"]),
        Route(f"{at}/adjust", api.adjust, methods=["POST"]),
    ]


class _CorrectionsApi:
    def __init__(self, who: Who, credits: CreditService, body_bytes_max: int) -> None:
        self._who = who
        self._credits = credits
        self._body_bytes_max = body_bytes_max

    async def transaction(self, request: Request) -> Response:
        """One transaction."""
        await self._who(request)
        row = await self._credits.get_transaction(account_id_in(request), id_in(request, "transaction_id"))
        return responses.json(responses.transaction(row))

    async def refund(self, request: Request) -> Response:
        """Give back what a transaction consumed."""
        actor = await self._who(request)
        account_id, transaction_id = account_id_in(request), id_in(request, "transaction_id")
        asked = await read_body(request, NewRefund, bytes_max=self._body_bytes_max)
        key = idempotency_key(request)
        return responses.refunded(await refund(self._credits, account_id, transaction_id, asked, actor=actor, key=key))

    async def void(self, request: Request) -> Response:
        """Cancel what remains of a grant."""
        actor = await self._who(request)
        account_id, grant_id = account_id_in(request), id_in(request, "grant_id")
        asked = await read_body(request, Void, bytes_max=self._body_bytes_max)
        voided = await self._credits.void_grant(
            account_id,
            grant_id,
            revoke_spent=asked.revoke_spent,
            reason=asked.reason,
            actor=actor,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return responses.voided(voided)

    async def adjust(self, request: Request) -> Response:
        """Correct the balance by hand."""
        actor = await self._who(request)
        account_id = account_id_in(request)
        asked = await read_body(request, Correction, bytes_max=self._body_bytes_max)
        adjusted = await self._credits.adjust(
            account_id,
            asked.amount,
            reason=asked.reason,
            actor=actor,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return responses.adjusted(adjusted)
