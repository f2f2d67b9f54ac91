"""The endpoints on holds of an account: placing, listing, extending, capturing and releasing them."""

from collections.abc import Awaitable
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sixpence.http.callers.callers import Admission
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import idempotency_key, metadata_of, read_body
from sixpence.http.wire.paths import account_id_in, id_in
from sixpence.http.wire.queries import limit_query
from sixpence.http.wire.usage import TokenUsage, usage_in
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import CapturedHold, ExtendedHold, PlacedHold, ReleasedHold


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


def place_hold(credits: CreditService, account_id: str, asked: NewHold, key: str | None) -> Awaitable[PlacedHold]:
    """The hold that a body describes."""
    return credits.place_hold(
        account_id,
        asked.feature,
        units=asked.units,
        usage=usage_in(asked.usage),
        amount=asked.amount,
        ttl_seconds=asked.ttl_seconds,
        generation_id=asked.generation_id,
        metadata=metadata_of(asked.metadata),
        idempotency_key=key,
    )


def extend_hold(
    credits: CreditService, account_id: str, hold_id: str, asked: Extension, key: str | None
) -> Awaitable[ExtendedHold]:
    """The extension of a hold that a body describes."""
    return credits.extend_hold(
        account_id,
        hold_id,
        ttl_seconds=asked.ttl_seconds,
        metadata=metadata_of(asked.metadata),
        idempotency_key=key,
    )


def capture_hold(
    credits: CreditService, account_id: str, hold_id: str, asked: Capture, key: str | None
) -> Awaitable[CapturedHold]:
    """The capture of a hold that a body describes."""
    return credits.capture_hold(
        account_id,
        hold_id,
        units=asked.units,
        usage=usage_in(asked.usage),
        amount=asked.amount,
        mode=asked.mode,
        late=asked.late,
        generation_id=asked.generation_id,
        metadata=metadata_of(asked.metadata),
        idempotency_key=key,
    )


def release_hold(
    credits: CreditService, account_id: str, hold_id: str, asked: Release, key: str | None
) -> Awaitable[ReleasedHold]:
    """The release of a hold that a body describes."""
    return credits.release_hold(
        account_id, hold_id, reason=asked.reason, metadata=metadata_of(asked.metadata), idempotency_key=key
    )


def hold_routes(at: str, admit: Admission, *, body_bytes_max: int) -> list[Route]:
    """The routes on holds below the account's path `at`, for whom `admit` lets in."""
    api = _HoldsApi(body_bytes_max)
    return [
        Route(f"{at}/holds", admit(api.list), methods=["GET"]),
        Route(f"{at}/holds", admit(api.place), methods=["POST"]),
        Route(f"{at}/holds/{{hold_id}}/extend", admit(api.extend), methods=["POST"]),
        Route(f"{at}/holds/{{hold_id}}/capture", admit(api.capture), methods=["POST"]),
        Route(f"{at}/holds/{{hold_id}}/release", admit(api.release), methods=["POST"]),
    ]


class _HoldsApi:
    def __init__(self, body_bytes_max: int) -> None:
        self._body_bytes_max = body_bytes_max

    async def list(self, request: Request, credits: CreditService) -> Response:
        """The account's open holds."""
        return responses.holds(await credits.list_holds(account_id_in(request), limit=limit_query(request)))

    async def place(self, request: Request, credits: CreditService) -> Response:
        """Set credits aside."""
        account_id = account_id_in(request)
        asked = await read_body(request, NewHold, bytes_max=self._body_bytes_max)
        return responses.placed(await place_hold(credits, account_id, asked, idempotency_key(request)))

    async def extend(self, request: Request, credits: CreditService) -> Response:
        """Let a hold live longer."""
        account_id, hold_id = account_id_in(request), id_in(request, "hold_id")
        asked = await read_body(request, Extension, bytes_max=self._body_bytes_max)
        return responses.extended(await extend_hold(credits, account_id, hold_id, asked, idempotency_key(request)))

    async def capture(self, request: Request, credits: CreditService) -> Response:
        """Charge what was really used."""
        account_id, hold_id = account_id_in(request), id_in(request, "hold_id")
        asked = await read_body(request, Capture, bytes_max=self._body_bytes_max)
        return responses.captured(await capture_hold(credits, account_id, hold_id, asked, idempotency_key(request)))

    async def release(self, request: Request, credits: CreditService) -> Response:
        """Give back all that is held."""
        account_id, hold_id = account_id_in(request), id_in(request, "hold_id")
        asked = await read_body(request, Release, bytes_max=self._body_bytes_max)
        return responses.released(await release_hold(credits, account_id, hold_id, asked, idempotency_key(request)))
