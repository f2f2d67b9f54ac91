"""`CreditIntegration`: the original's helper for an app's own endpoints, for Starlette and what stands on it (FastAPI).

Sixpence's own endpoints are in `sixpence.http`; here are the ones of an app that runs on credits.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from sixpence.core.catalog import Catalog
from sixpence.core.refusals import InsufficientCreditsError
from sixpence.http import answers, problems
from sixpence.http.bodies import idempotency_key as key_of
from sixpence.http.boundary import Handlers, refusal_handlers
from sixpence.http.callers import Callers, with_account
from sixpence.http.offers import offers_of
from sixpence.service.answers import CreditCheck
from sixpence.service.credits import CreditService
from sixpence.service.receipts import PlanStatus, Receipt
from sixpence.service.user_credits import UserCredits

# What a framework calls: with a request, and on FastAPI with whatever else its signature asks for.
Endpoint = Callable[..., Any]


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

    async def account_of(self, request: Request) -> str:
        """The signed-in user's account id; raises `NotSignedInError` (401) or `ForbiddenError` (403)."""
        return (await self._callers.user(request)).id

    async def get_user_credit_status(self, request: Request) -> UserCredits:
        """The signed-in user's credits now."""
        account_id = await self.account_of(request)
        return await with_account(self.credits, account_id, lambda: self.credits.get_user_credits(account_id))

    async def validate_credit_usage(self, request: Request, feature: str) -> CreditCheck:
        """Whether a use would be paid for now: a preview before long work, never the decision."""
        account_id = await self.account_of(request)
        return await with_account(
            self.credits, account_id, lambda: self.credits.validate_credit_usage(account_id, feature)
        )

    async def check_and_consume_credit(
        self,
        request: Request,
        feature: str,
        generation_id: str | None = None,
        *,
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
                    generation_id=generation_id,
                    metadata=metadata,
                    idempotency_key=idempotency_key,
                ),
            )
        except InsufficientCreditsError as refusal:
            return await self._refused(refusal)
        return ChargeResult(success=True, feature=feature, remaining_credits=receipt.remaining, receipt=receipt)

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
        return answers.json({**data, **charged}, replayed=receipt.replayed)

    def charged(self, feature: str) -> Callable[[Endpoint], Endpoint]:
        """Decorate an endpoint: 402 before the work when it could not be paid, a charge once it has succeeded.

        An answer of 400 or above, or an exception, costs nothing. The header `Idempotency-Key` is passed on: what was
        paid for once is not charged again, nor refused because it took the last credit.
        """

        def decorate(endpoint: Endpoint) -> Endpoint:
            @wraps(endpoint)
            async def run(*args: Any, **kwargs: Any) -> Any:
                request = _request_among(args, kwargs, endpoint)
                key = key_of(request)
                refused = await self._unpayable(request, feature, key)
                if refused is not None:
                    return self.create_insufficient_credits_response(refused)
                if iscoroutinefunction(endpoint):
                    response = await endpoint(*args, **kwargs)
                else:
                    response = await run_in_threadpool(endpoint, *args, **kwargs)
                if isinstance(response, Response) and response.status_code >= 400:
                    return response
                result = await self.check_and_consume_credit(request, feature, idempotency_key=key)
                return response if result.success else self.create_insufficient_credits_response(result)

            return run

        return decorate

    async def _unpayable(self, request: Request, feature: str, key: str | None) -> ChargeResult | None:
        """The refusal that a use would meet now; None where it can be paid, or has been paid under this key."""
        check = await self.validate_credit_usage(request, feature)
        if check.allowed:
            return None
        if key is None:
            return await self._refused(
                InsufficientCreditsError(feature, check.required, check.remaining, check.available)
            )
        # Somebody who never saw the answer asks again: with nothing left, only the key can tell that it was paid for.
        result = await self.check_and_consume_credit(request, feature, idempotency_key=key)
        return None if result.success else result

    async def _refused(self, refusal: InsufficientCreditsError) -> ChargeResult:
        return ChargeResult(
            success=False,
            feature=refusal.feature,
            remaining_credits=refusal.remaining,
            refusal=refusal,
            offers=offers_of(await self.get_catalog()),
        )


def _request_among(args: tuple[Any, ...], kwargs: dict[str, Any], endpoint: Endpoint) -> Request:
    for value in (*args, *kwargs.values()):
        if isinstance(value, Request):
            return value
    raise TypeError(f"{endpoint.__name__} is charged for, so it must take the request: add `request: Request`")
