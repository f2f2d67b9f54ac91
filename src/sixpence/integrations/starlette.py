"""`CreditIntegration`: the original's helper for an app's own endpoints, for Starlette and what stands on it (FastAPI).

Sixpence's own endpoints are in `sixpence.http`; here are the ones of an app that runs on credits.
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
from sixpence.http.wire.offers import offers_of
from sixpence.integrations.reserving import Reservation, Use
from sixpence.integrations.settling import Settling, charges_of
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import PlanStatus, Receipt
from sixpence.service.results.results import CreditCheck
from sixpence.service.results.user_credits import UserCredits

# What a framework calls: with a request, and on FastAPI with whatever else its signature asks for.
Endpoint = Callable[..., Any]


class AlreadyDoneError(CallerError):
    """The key's work was done and charged before, by the hold `hold_id`; what it answered then is not kept."""

    status = 409
    code = "already-done"
    title = "This was done before"


class ChargeResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a charge: a receipt, or the refusal with what can be offered instead."""

    success: bool
    feature: str
    remaining_credits: int
    receipt: Receipt | None = None
    refusal: InsufficientCreditsError | None = None
    offers: list[dict[str, Any]] = []


class CreditIntegration:
    """Charges the signed-in user of a request. `upgrade_url` is where a 402 sends somebody to buy."""

    def __init__(self, credits: CreditService, callers: Callers, *, upgrade_url: str) -> None:
        self.credits = credits
        self._callers = callers
        self._upgrade_url = upgrade_url

    @property
    def exception_handlers(self) -> Handlers:
        """What answers Sixpence's refusals in an app of one's own: `FastAPI(exception_handlers=...)`."""
        return refusal_handlers(self.credits, upgrade_url=self._upgrade_url)

    @property
    def middleware(self) -> list[Middleware]:
        """What settles the charges of `charged` endpoints: `FastAPI(middleware=[*integration.middleware, ...])`.

        First of all, so that no other middleware changes the status after the charge.
        """
        return [Middleware(Settling, refused=self.exception_handlers[CreditSystemError])]

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
        """Whether a use would be paid for now: a preview, never the decision."""
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
        """Charge the signed-in user for one use; too few credits is a result, everything else raises."""
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
        """Set aside what some work of the signed-in user will cost; `capture` or `release` it when the work has ended.

        Raises what `place_hold` does, `InsufficientCreditsError` too. With a key the same work is reserved and charged
        once: asked again, a reservation says whether it is `paid`, and capturing it answers as it first did.
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
        """Put the signed-in user on a plan: what a checkout does once it is paid."""
        account_id = await self.account_of(request)
        return await with_account(
            self.credits,
            account_id,
            lambda: self.credits.update_subscription_status(account_id, plan, reason=reason, actor="checkout"),
        )

    async def get_catalog(self) -> Catalog:
        """The catalog that prices now."""
        return (await self.credits.get_catalog()).catalog

    def create_insufficient_credits_response(self, result: ChargeResult) -> Response:
        """The 402 for a charge that was refused: the facts, where to upgrade, and what is on offer."""
        refusal = result.refusal
        if refusal is None:
            raise ValueError("the charge was not refused: answer with create_success_response")
        return problems.of_error(refusal, {"upgrade_url": self._upgrade_url, "offers": result.offers})

    def create_success_response(self, data: dict[str, Any], receipt: Receipt) -> Response:
        """A 200 with an app's own data and the balance after the charge."""
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
        """Decorate an endpoint: its price is set aside before the work (402 where there is too little), charged after.

        Needs `middleware` in the app. What is set aside goes back when the endpoint raises, when the status that leaves
        is 400 or above, when the request is cancelled, and when the client has gone before the answer could be sent
        whole; a stream is charged at its end. `ttl_seconds` (600) is how long the hold lives should this process die;
        work that takes longer is charged late.

        The header `Idempotency-Key` belongs to the request it came with: method, path, query and body, byte for byte;
        any other is `IdempotencyConflictError` (422). While the work is under way a repeat shares its hold, after a
        failure it begins anew, and after the charge it is `AlreadyDoneError` (409): the answer is not kept. With
        `run_again` such a repeat runs the endpoint again without a charge: for one that finds what it made before.
        """

        def decorate(endpoint: Endpoint) -> Endpoint:
            if isasyncgenfunction(endpoint) or isgeneratorfunction(endpoint):
                raise TypeError(f"{endpoint.__name__} yields its answer, which cannot be charged for: return a stream")

            @wraps(endpoint)
            async def run(*args: Any, **kwargs: Any) -> Any:
                request = _request_among(args, kwargs, endpoint)
                charges = charges_of(request, endpoint.__name__)
                account_id = await self.account_of(request)
                key = key_of(request)
                metadata = None if key is None else {"request": await charges.fingerprint.of(request)}
                try:
                    reservation = await self._reserve(
                        account_id, feature, ttl_seconds=ttl_seconds, metadata=metadata, key=key
                    )
                except InsufficientCreditsError as refusal:
                    return self.create_insufficient_credits_response(await self._refused(refusal))
                if reservation.paid and not run_again:
                    raise _already_done(reservation)
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

    async def _reserve(self, account_id: str, feature: str, **asked: Any) -> Reservation:
        use = Use(self.credits, account_id, feature, **asked)
        return await with_account(self.credits, account_id, use.reserve)

    async def _refused(self, refusal: InsufficientCreditsError) -> ChargeResult:
        return ChargeResult(
            success=False,
            feature=refusal.feature,
            remaining_credits=refusal.remaining,
            refusal=refusal,
            offers=offers_of(await self.get_catalog()),
        )


def _already_done(reservation: Reservation) -> AlreadyDoneError:
    detail = "The work of this key was done and charged before. Use a new key to have it done, and charged, again."
    return AlreadyDoneError(detail, hold_id=reservation.hold_id)


def _request_among(args: tuple[Any, ...], kwargs: dict[str, Any], endpoint: Endpoint) -> Request:
    for value in (*args, *kwargs.values()):
        if isinstance(value, Request):
            return value
    raise TypeError(f"{endpoint.__name__} is charged for, so it must take the request: add `request: Request`")
