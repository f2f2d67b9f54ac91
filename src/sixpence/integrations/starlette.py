"""`CreditIntegration`: the original's helper for an app's own endpoints, for Starlette and FastAPI.

Not here: Sixpence's own endpoints (`sixpence.http`).
"""

from collections.abc import Callable
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from sixpence.core.catalog.catalog import Catalog
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import CreditSystemError
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.http.callers.callers import Callers, with_account
from sixpence.http.wire import problems, responses
from sixpence.http.wire.bodies import idempotency_key as key_of
from sixpence.http.wire.error_handlers import Handlers, refusal_handlers
from sixpence.http.wire.errors import CallerError
from sixpence.integrations.charge_middleware import ChargeMiddleware, charges_of
from sixpence.integrations.reservations import Reservation, ReservationRequest
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import PlanStatus, Receipt
from sixpence.service.results.results import CreditCheck
from sixpence.service.results.user_credits import UserCredits

# A framework calls it with a request, and FastAPI with the other parameters of its signature.
Endpoint = Callable[..., Any]


class AlreadyDoneError(CallerError):
    """The work of this key was done and charged before, by the hold `hold_id`; its response is not stored."""

    status = 409
    code = "already-done"
    title = "This was done before"


class ChargeResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a charge: a receipt, or the refusal with offers."""

    success: bool
    feature: str
    remaining_credits: int
    receipt: Receipt | None = None
    refusal: InsufficientCreditsError | None = None
    offers: list[dict[str, Any]] = []


class CreditIntegration:
    """Charges the signed-in user of a request. `upgrade_url` is where a 402 sends a user to buy credits."""

    def __init__(self, credits: CreditService, callers: Callers, *, upgrade_url: str) -> None:
        self.credits = credits
        self._callers = callers
        self._upgrade_url = upgrade_url

    @property
    def exception_handlers(self) -> Handlers:
        """The handlers of Sixpence's errors for an app: `FastAPI(exception_handlers=...)`."""
        return refusal_handlers(self.credits, upgrade_url=self._upgrade_url)

    @property
    def middleware(self) -> list[Middleware]:
        """The middleware that `charged` endpoints need: `FastAPI(middleware=[*integration.middleware, ...])`.

        Put it first, so that no other middleware changes the status after the charge.
        """
        return [Middleware(ChargeMiddleware, refused=self.exception_handlers[CreditSystemError])]

    async def account_of(self, request: Request) -> str:
        """The signed-in user's account id; raises `NotSignedInError` (401) or `ForbiddenError` (403)."""
        return (await self._callers.user(request)).id

    async def get_user_credit_status(self, request: Request) -> UserCredits:
        """The signed-in user's credits now."""
        account_id = await self.account_of(request)
        return await with_account(self.credits, account_id, lambda: self.credits.get_user_credits(account_id))

    async def validate_credit_usage(
        self, request: Request, feature: str, *, units: int | None = None, usage: Usage | None = None
    ) -> CreditCheck:
        """Checks whether the user could pay for a use now: a preview, never the decision."""
        account_id = await self.account_of(request)
        return await with_account(
            self.credits,
            account_id,
            lambda: self.credits.validate_credit_usage(account_id, feature, units=units, usage=usage),
        )

    async def check_and_consume_credit(
        self,
        request: Request,
        feature: str,
        generation_id: str | None = None,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> ChargeResult:
        """Charges the signed-in user for one use; insufficient credits are a result, every other error is raised."""
        account_id = await self.account_of(request)
        try:
            receipt = await with_account(
                self.credits,
                account_id,
                lambda: self.credits.consume_credit(
                    account_id,
                    feature,
                    units=units,
                    usage=usage,
                    generation_id=generation_id,
                    metadata=metadata,
                    idempotency_key=idempotency_key,
                ),
            )
        except InsufficientCreditsError as refusal:
            return await self._refused(refusal)
        return ChargeResult(success=True, feature=feature, remaining_credits=receipt.remaining, receipt=receipt)

    async def reserve(
        self,
        request: Request,
        feature: str,
        generation_id: str | None = None,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        amount: int | None = None,
        ttl_seconds: int | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Reservation:
        """Sets aside what some work of the signed-in user will cost; `capture` or `release` it when the work has ended.

        Raises what `place_hold` raises, including `InsufficientCreditsError`. With a key the same work is reserved and
        charged once: in a retry the reservation's `paid` shows whether it was charged, and a capture is a replay.
        """
        account_id = await self.account_of(request)
        return await self._reserve(
            account_id,
            feature,
            generation_id=generation_id,
            units=units,
            usage=usage,
            amount=amount,
            ttl_seconds=ttl_seconds,
            metadata=metadata,
            key=idempotency_key,
        )

    async def update_subscription_status(self, request: Request, plan: str, *, reason: str) -> PlanStatus:
        """Puts the signed-in user on a plan, as a checkout does after the payment."""
        account_id = await self.account_of(request)
        return await with_account(
            self.credits,
            account_id,
            lambda: self.credits.update_subscription_status(account_id, plan, reason=reason, actor="checkout"),
        )

    async def get_catalog(self) -> Catalog:
        """The current catalog."""
        return (await self.credits.get_catalog()).catalog

    def create_insufficient_credits_response(self, result: ChargeResult) -> Response:
        """The 402 for a refused charge: the refusal, where to upgrade, and the offers."""
        refusal = result.refusal
        if refusal is None:
            raise ValueError("the charge was not refused: answer with create_success_response")
        return problems.of_insufficient_credits(refusal, upgrade_url=self._upgrade_url, offers=result.offers)

    def create_success_response(self, data: dict[str, Any], receipt: Receipt) -> Response:
        """A 200 with the app's data and the balance after the charge."""
        charged = {
            "credits_consumed": receipt.transaction.credits_consumed,
            "remaining": receipt.remaining,
            "total": receipt.total,
            "version": receipt.version,
        }
        return responses.json({**data, **charged}, replayed=receipt.replayed)

    def charged(
        self, feature: str, *, ttl_seconds: int | None = None, run_again: bool = False
    ) -> Callable[[Endpoint], Endpoint]:
        """Decorates an endpoint: reserves its price before the work (402 for insufficient credits), charges it after.

        Needs `middleware` in the app. The reservation is released if the endpoint raises, if the final status is 400 or
        above, if the request is cancelled, and if the client disconnects before the complete response is sent; a stream
        is charged at its end. The hold expires after `ttl_seconds` (600) if this process dies; work that takes longer
        is charged late.

        An `Idempotency-Key` belongs to its request: method, path, query and body, byte for byte. With another request
        it raises `IdempotencyConflictError` (422). While the work runs a retry shares its hold, after a failure it
        reserves again, and after the charge it is `AlreadyDoneError` (409), since the response is not stored. With
        `run_again` such a retry runs the endpoint again without a charge, for endpoints that find their earlier result.
        """

        def decorate(endpoint: Endpoint) -> Endpoint:
            if isasyncgenfunction(endpoint) or isgeneratorfunction(endpoint):
                raise TypeError(f"{endpoint.__name__} yields its response and cannot be charged for: return a stream")

            @wraps(endpoint)
            async def run(*args: Any, **kwargs: Any) -> Any:
                request = _find_request(args, kwargs, endpoint)
                charges = charges_of(request, endpoint.__name__)
                account_id = await self.account_of(request)
                key = key_of(request)
                metadata = None if key is None else {"request": await charges.fingerprint.compute(request)}
                try:
                    reservation = await self._reserve(
                        account_id, feature, ttl_seconds=ttl_seconds, metadata=metadata, key=key
                    )
                except InsufficientCreditsError as refusal:
                    return self.create_insufficient_credits_response(await self._refused(refusal))
                if reservation.paid and not run_again:
                    raise _already_done_error(reservation)
                try:
                    if iscoroutinefunction(endpoint):
                        response = await endpoint(*args, **kwargs)
                    else:
                        response = await run_in_threadpool(endpoint, *args, **kwargs)
                except BaseException:
                    await reservation.release()
                    raise
                charges.add(reservation, response)
                return response

            return run

        return decorate

    async def _reserve(self, account_id: str, feature: str, **terms: Any) -> Reservation:
        request = ReservationRequest(self.credits, account_id, feature, **terms)
        return await with_account(self.credits, account_id, request.reserve)

    async def _refused(self, refusal: InsufficientCreditsError) -> ChargeResult:
        return ChargeResult(
            success=False,
            feature=refusal.feature,
            remaining_credits=refusal.remaining,
            refusal=refusal,
            offers=(await self.get_catalog()).offers(),
        )


def _already_done_error(reservation: Reservation) -> AlreadyDoneError:
    detail = "The work of this key was done and charged before. Send a new key to have it done and charged again."
    return AlreadyDoneError(detail, hold_id=reservation.hold_id)


def _find_request(args: tuple[Any, ...], kwargs: dict[str, Any], endpoint: Endpoint) -> Request:
    for value in (*args, *kwargs.values()):
        if isinstance(value, Request):
            return value
    raise TypeError(f"{endpoint.__name__} is charged for, so it must take the request: add `request: Request`")
