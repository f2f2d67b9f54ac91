"""The endpoints on an account's plan, and on how it stands: open, frozen or closed. Who did it is recorded."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Who
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.wire.paths import account_id_in
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import AccountStatus


class NewPlan(msgspec.Struct, forbid_unknown_fields=True):
    """The body that puts an account on a plan."""

    plan: str
    trial: bool = False
    reason: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Said(msgspec.Struct, forbid_unknown_fields=True):
    """The body of what needs no more than a reason, if that."""

    reason: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def plan_routes(at: str, who: Who, credits: CreditService, *, body_bytes_max: int) -> list[Route]:
    """The routes below the account's path `at`, for whom `who` lets through."""
    api = _PlansApi(who, credits, body_bytes_max)
    return [
        Route(f"{at}/plan", api.change, methods=["POST"]),
        Route(f"{at}/plan/cancel", api.cancel, methods=["POST"]),
        Route(f"{at}/freeze", api.freeze, methods=["POST"]),
        Route(f"{at}/unfreeze", api.unfreeze, methods=["POST"]),
        Route(f"{at}/close", api.close, methods=["POST"]),
    ]


class _PlansApi:
    def __init__(self, who: Who, credits: CreditService, body_bytes_max: int) -> None:
        self._who = who
        self._credits = credits
        self._body_bytes_max = body_bytes_max

    async def change(self, request: Request) -> Response:
        """Put the account on a plan."""
        actor = await self._who(request)
        account_id = account_id_in(request)
        asked = await read_body(request, NewPlan, bytes_max=self._body_bytes_max)
        status = await self._credits.update_subscription_status(
            account_id,
            asked.plan,
            trial=asked.trial,
            reason=asked.reason,
            actor=actor,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return responses.planned(status)

    async def cancel(self, request: Request) -> Response:
        """Let the plan run to its end."""
        account_id, said = await self._said(request)
        return responses.planned(await self._credits.cancel_subscription(account_id, **said))

    async def freeze(self, request: Request) -> Response:
        """Let nothing more be spent."""
        return await self._stand(request, self._credits.freeze_account)

    async def unfreeze(self, request: Request) -> Response:
        """End a freeze."""
        return await self._stand(request, self._credits.unfreeze_account)

    async def close(self, request: Request) -> Response:
        """End the account."""
        return await self._stand(request, self._credits.close_account)

    async def _stand(self, request: Request, change: Callable[..., Awaitable[AccountStatus]]) -> Response:
        account_id, said = await self._said(request)
        return responses.stood(await change(account_id, **said))

    async def _said(self, request: Request) -> tuple[str, dict[str, Any]]:
        """The account, and who says what of it."""
        actor = await self._who(request)
        account_id = account_id_in(request)
        asked = await read_body(request, Said, bytes_max=self._body_bytes_max)
        return account_id, {
            "reason": asked.reason,
            "actor": actor,
            "metadata": metadata_of(asked.metadata),
            "idempotency_key": idempotency_key(request),
        }
