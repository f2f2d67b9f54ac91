"""Uses of features: spend credits for one, check one beforehand, estimate what one costs."""

from typing import Any

from sixpence.core.account.commands import Consume
from sixpence.core.catalog.price import Usage
from sixpence.core.errors import RefusedError
from sixpence.core.refusals import UnknownFeatureError
from sixpence.core.rules.consume import quote
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import GENERATION_ID_LENGTH_MAX
from sixpence.ledger.reads import accounts
from sixpence.service.operations.base import Operations, receipt
from sixpence.service.requests import fields
from sixpence.service.requests.requests import build_request
from sixpence.service.results.estimates import (
    CAPTURES_MAX,
    CreditEstimate,
    current_price,
    is_priced_by_usage,
    past_prices,
)
from sixpence.service.results.receipts import Receipt
from sixpence.service.results.results import CreditCheck


class ConsumptionOperations(Operations):
    """The operations on uses of features."""

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
        """Spends the price of one use of `feature`: of `units`, of a `usage` of a model's tokens, or of one call.

        Raises `InsufficientCreditsError` (with `feature`, `required`, `remaining`, `available`, `shortfall`),
        `AccountNotFoundError`, `AccountFrozenError`, `AccountClosedError`, `UnknownFeatureError`, `UnpricedUsageError`,
        `FairUseError` and `IdempotencyConflictError`; then nothing was spent.
        """
        command = Consume(
            feature=fields.text("feature", feature, fields.NAME_LENGTH_MAX),
            usage=fields.usage_of(units, usage) or Usage(),
            generation_id=fields.optional_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
            metadata=metadata_text.canonical(metadata),
        )
        sent = {
            "feature": feature,
            **fields.usage_sent(units, usage),
            "generation_id": generation_id,
            "metadata": metadata,
        }
        request = build_request("consume", account_id, command, sent, idempotency_key)
        return receipt(Receipt, await self._submit(request, connection))

    async def validate_credit_usage(
        self, account_id: str, feature: str, *, units: int | None = None, usage: Usage | None = None
    ) -> CreditCheck:
        """Checks whether the account could pay for a use of `feature` now: a preview, never the decision.

        Insufficient credits are a result. Every other refusal of `consume_credit` is raised.
        """
        feature = fields.text("feature", feature, fields.NAME_LENGTH_MAX)
        used = fields.usage_of(units, usage) or Usage()
        context = await self._read_account(account_id)
        quoted = quote(context, feature, used)
        if isinstance(quoted, RefusedError):
            raise quoted
        available = context.available(feature)
        return CreditCheck(
            allowed=available >= quoted.charge,
            feature=feature,
            required=quoted.charge,
            remaining=context.account.remaining,
            available=available,
            unlimited=quoted.unlimited,
        )

    async def estimate(self, feature: str, *, units: int | None = None, usage: Usage | None = None) -> CreditEstimate:
        """Estimates what a use of `feature` costs by the current catalog.

        If the price depends on usage and neither `units` nor a `usage` was sent, the estimate is what past captures
        would cost now: the median and the 95th percentile for each model. Raises `UnknownFeatureError` and
        `UnpricedUsageError`.
        """
        feature = fields.text("feature", feature, fields.NAME_LENGTH_MAX)
        used = fields.usage_of(units, usage) or Usage()
        priced_by = await self._read(self._catalogs.current)
        sold = priced_by.catalog.features.get(feature)
        if sold is None:
            raise UnknownFeatureError(feature, tuple(priced_by.catalog.features))
        if used != Usage() or not is_priced_by_usage(sold):
            price = current_price(sold, used)
            return CreditEstimate(feature=feature, catalog_version=priced_by.version, price=price, past=())
        captures = await self._read(lambda connection: accounts.list_captures(connection, feature, limit=CAPTURES_MAX))
        past = past_prices(sold, captures)
        return CreditEstimate(feature=feature, catalog_version=priced_by.version, price=None, past=past)
