"""The endpoints on holds of an account: placing, listing, extending, capturing and releasing them."""

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http import answers
from sixpence.http.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.callers import Who
from sixpence.http.paths import account_id_in, id_in
from sixpence.http.queries import limit_query
from sixpence.http.usage_body import TokenUsage, usage_in
from sixpence.service.credits import CreditService


class NewHold(msgspec.Struct, forbid_unknown_fields=True):
    """The body that places a hold."""

    feature: str
    units: int | None = None
    usage: TokenUsage | None = None
    amount: int | None = None
    ttl_seconds: int | None = None
    generation_id: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Extension(msgspec.Struct, forbid_unknown_fields=True):
    """The body that extends a hold."""

    ttl_seconds: int | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Capture(msgspec.Struct, forbid_unknown_fields=True):
    """The body that captures a hold."""

    units: int | None = None
    usage: TokenUsage | None = None
    amount: int | None = None
    mode: Literal["exact", "up_to_available"] | None = None
    late: bool = False
    generation_id: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Release(msgspec.Struct, forbid_unknown_fields=True):
    """The body that releases a hold."""

    reason: str | None = None
    metadata: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def hold_routes(at: str, who: Who, credits: CreditService, *, body_bytes_max: int) -> list[Route]:
    """The routes on holds below the account's path `at`, for whom `who` lets through."""
    api = _HoldsApi(who, credits, body_bytes_max)
    return [
        Route(f"{at}/holds", api.list, methods=["GET"]),
        Route(f"{at}/holds", api.place, methods=["POST"]),
        Route(f"{at}/holds/{{hold_id}}/extend", api.extend, methods=["POST"]),
        Route(f"{at}/holds/{{hold_id}}/capture", api.capture, methods=["POST"]),
        Route(f"{at}/holds/{{hold_id}}/release", api.release, methods=["POST"]),
    ]


class _HoldsApi:
    def __init__(self, who: Who, credits: CreditService, body_bytes_max: int) -> None:
        self._who = who
        self._credits = credits
        self._body_bytes_max = body_bytes_max

    async def list(self, request: Request) -> Response:
        """The account's open holds."""
        await self._who(request)
        return answers.holds(await self._credits.list_holds(account_id_in(request), limit=limit_query(request)))

    async def place(self, request: Request) -> Response:
        """Set credits aside."""
        await self._who(request)
        account_id = account_id_in(request)
        asked = await read_body(request, NewHold, bytes_max=self._body_bytes_max)
        placed = await self._credits.place_hold(
            account_id,
            asked.feature,
            units=asked.units,
            usage=usage_in(asked.usage),
            amount=asked.amount,
            ttl_seconds=asked.ttl_seconds,
            generation_id=asked.generation_id,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return answers.placed(placed)

    async def extend(self, request: Request) -> Response:
        """Let a hold live longer."""
        await self._who(request)
        account_id, hold_id = account_id_in(request), id_in(request, "hold_id")
        asked = await read_body(request, Extension, bytes_max=self._body_bytes_max)
        extended = await self._credits.extend_hold(
            account_id,
            hold_id,
            ttl_seconds=asked.ttl_seconds,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return answers.extended(extended)

    async def capture(self, request: Request) -> Response:
        """Charge what was really used."""
        await self._who(request)
        account_id, hold_id = account_id_in(request), id_in(request, "hold_id")
        asked = await read_body(request, Capture, bytes_max=self._body_bytes_max)
        captured = await self._credits.capture_hold(
            account_id,
            hold_id,
            units=asked.units,
            usage=usage_in(asked.usage),
            amount=asked.amount,
            mode=asked.mode,
            late=asked.late,
            generation_id=asked.generation_id,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return answers.captured(captured)

    async def release(self, request: Request) -> Response:
        """Give back all that is held."""
        await self._who(request)
        account_id, hold_id = account_id_in(request), id_in(request, "hold_id")
        asked = await read_body(request, Release, bytes_max=self._body_bytes_max)
        released = await self._credits.release_hold(
            account_id,
            hold_id,
            reason=asked.reason,
            metadata=metadata_of(asked.metadata),
            idempotency_key=idempotency_key(request),
        )
        return answers.released(released)
