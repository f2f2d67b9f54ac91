"""Uses of features: what one would cost, whether it would be paid for, and spending for it."""

from typing import Any

from sixpence.core.catalog.price import Usage
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import UnknownFeatureError
from sixpence.core.rules.consume import quote
from sixpence.ledger.reads import accounts
from sixpence.service.operations.base import Operations, nothing_more, receipt
from sixpence.service.requests import fields, requests
from sixpence.service.results.estimates import CAPTURES_LOOKED_AT, CreditEstimate, past_prices, price_now, told_by_usage
from sixpence.service.results.receipts import Receipt
from sixpence.service.results.results import CreditCheck


class Uses(Operations):
    """The operations on uses."""

    async def consume_credit(
        self,
        account_id: str,
        feature: str,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        generation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> Receipt:
        """Spend the price of one use of `feature`: of `units`, or of a `usage` of a model's tokens, or of one call.

        Raises `InsufficientCreditsError` (with `feature`, `required`, `remaining`, `available`, `shortfall`),
        `AccountNotFoundError`, `AccountFrozenError`, `AccountClosedError`, `UnknownFeatureError`, `UnpricedUsageError`,
        `FairUseError` and `IdempotencyConflictError`; then nothing was spent.
        """
        request = requests.consume(
            account_id,
            feature,
            units=units,
            usage=usage,
            generation_id=generation_id,
            metadata=metadata,
            key=idempotency_key,
        )
        return receipt(Receipt, await self._submit(request, connection))

    async def validate_credit_usage(
        self, account_id: str, feature: str, *, units: int | None = None, usage: Usage | None = None
    ) -> CreditCheck:
        """Whether a use of `feature` would be paid for now: a preview, never the decision.

        Too few credits are an answer; whatever else a use would be refused with is raised.
        """
        feature = fields.text("feature", feature, fields.NAME_LENGTH_MAX)
        used = fields.usage_of(units, usage) or Usage()
        scene, _ = await self._standing(account_id, nothing_more)
        quoted = quote(scene, feature, used)
        if isinstance(quoted, RefusedError):
            raise quoted
        available = scene.available(feature)
        return CreditCheck(
            allowed=available >= quoted.charge,
            feature=feature,
            required=quoted.charge,
            remaining=scene.account.remaining,
            available=available,
            unlimited=quoted.unlimited,
        )

    async def estimate(self, feature: str, *, units: int | None = None, usage: Usage | None = None) -> CreditEstimate:
        """What a use of `feature` costs by the catalog in force.

        Where its price depends on what is used and nothing is said of that, what past captures of it would cost now
        tells: the median and the 95th percentile, for each model. Raises `UnknownFeatureError` and
        `UnpricedUsageError`.
        """
        feature = fields.text("feature", feature, fields.NAME_LENGTH_MAX)
        used = fields.usage_of(units, usage) or Usage()
        priced_by = await self._read(self._catalogs.current)
        sold = priced_by.catalog.features.get(feature)
        if sold is None:
            raise UnknownFeatureError(feature, tuple(priced_by.catalog.features))
        if used != Usage() or not told_by_usage(sold):
            price = price_now(sold, used)
            return CreditEstimate(feature=feature, catalog_version=priced_by.version, price=price, past=())
        captures = await self._read(
            lambda connection: accounts.list_captures(connection, feature, limit=CAPTURES_LOOKED_AT)
        )
        past = past_prices(sold, captures)
        return CreditEstimate(feature=feature, catalog_version=priced_by.version, price=None, past=past)
