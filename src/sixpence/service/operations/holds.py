"""Holds: set credits aside for running work, then capture, release or extend the hold."""

from typing import Any

from sixpence.core.account.commands import CaptureHold, ExtendHold, PlaceHold, ReleaseHold
from sixpence.core.catalog.price import Usage
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import GENERATION_ID_LENGTH_MAX, REASON_LENGTH_MAX
from sixpence.ledger.reads import accounts
from sixpence.service.operations.base import Operations, receipt
from sixpence.service.requests import fields
from sixpence.service.requests.paging import PAGE_SIZE, checked_limit
from sixpence.service.requests.requests import build_request
from sixpence.service.results.receipts import CapturedHold, ExtendedHold, PlacedHold, ReleasedHold
from sixpence.service.results.results import CreditHold


class HoldOperations(Operations):
    """The operations on holds."""

    async def place_hold(
        self,
        account_id: str,
        feature: str,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        amount: int | None = None,
        ttl_seconds: int | None = None,
        generation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> PlacedHold:
        """Sets credits aside for a use that begins: `amount`, what `units` or a `usage` cost, or the price of one call.

        The hold expires after `ttl_seconds` (1 to 2,592,000, which is 30 days; 600 by default). On an unlimited plan
        nothing is set aside, and the use is covered. Beside an amount a `usage` may name the model: one without a price
        is refused now, and not at the capture. Raises what `consume_credit` does.
        """
        used, amount_given = fields.usage_and_amount(units, usage, amount, least=1)
        command = PlaceHold(
            feature=fields.text("feature", feature, fields.NAME_LENGTH_MAX),
            ttl_seconds=fields.ttl_seconds(ttl_seconds),
            usage=used or Usage(),
            amount=amount_given,
            generation_id=fields.optional_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
            metadata=metadata_text.canonical(metadata),
        )
        sent = {
            "feature": feature,
            **fields.usage_sent(units, usage),
            "amount": amount,
            "ttl_seconds": ttl_seconds,
            "generation_id": generation_id,
            "metadata": metadata,
        }
        request = build_request("place_hold", account_id, command, sent, idempotency_key)
        return receipt(PlacedHold, await self._submit(request, connection))

    async def extend_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        ttl_seconds: int | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> ExtendedHold:
        """Extends an open hold to `ttl_seconds` (600) from now; never shortens it.

        Raises `HoldNotFoundError` and `HoldEndedError`, which has when and how the hold ended.
        """
        command = ExtendHold(
            hold_id=_checked_hold_id(hold_id),
            ttl_seconds=fields.ttl_seconds(ttl_seconds),
            metadata=metadata_text.canonical(metadata),
        )
        sent = {"hold_id": hold_id, "ttl_seconds": ttl_seconds, "metadata": metadata}
        request = build_request("extend_hold", account_id, command, sent, idempotency_key)
        return receipt(ExtendedHold, await self._submit(request, connection))

    async def capture_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        amount: int | None = None,
        mode: str | None = None,
        late: bool = False,
        generation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> CapturedHold:
        """Charges what was used (`amount`, what `units` or a `usage` cost, or all that is held) and frees the rest.

        If more was used than is held, the rest comes from what remains. If that is too little, `mode` "exact" (the
        default) refuses, and "up_to_available" takes what is available and gives the `shortfall`. With `late` an
        expired hold is charged once, by a separate use. Raises `HoldNotFoundError`, `HoldEndedError`,
        `InsufficientCreditsError` and `UnpricedUsageError`; then the hold is unchanged.
        """
        used, amount_given = fields.usage_or_amount(units, usage, amount, least=0)
        command = CaptureHold(
            hold_id=_checked_hold_id(hold_id),
            usage=used,
            amount=amount_given,
            mode=fields.capture_mode(mode),
            late=fields.flag("late", late),
            generation_id=fields.optional_text("generation_id", generation_id, GENERATION_ID_LENGTH_MAX),
            metadata=metadata_text.canonical(metadata),
        )
        sent = {
            "hold_id": hold_id,
            **fields.usage_sent(units, usage),
            "amount": amount,
            "mode": mode,
            "late": late or None,
            "generation_id": generation_id,
            "metadata": metadata,
        }
        request = build_request("capture_hold", account_id, command, sent, idempotency_key)
        return receipt(CapturedHold, await self._submit(request, connection))

    async def release_hold(
        self,
        account_id: str,
        hold_id: str,
        *,
        reason: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> ReleasedHold:
        """Gives back everything that an open hold has set aside; raises `HoldNotFoundError` and `HoldEndedError`."""
        command = ReleaseHold(
            hold_id=_checked_hold_id(hold_id),
            reason=fields.optional_text("reason", reason, REASON_LENGTH_MAX),
            metadata=metadata_text.canonical(metadata),
        )
        sent = {"hold_id": hold_id, "reason": reason, "metadata": metadata}
        request = build_request("release_hold", account_id, command, sent, idempotency_key)
        return receipt(ReleasedHold, await self._submit(request, connection))

    async def list_holds(self, account_id: str, *, limit: int = PAGE_SIZE) -> list[CreditHold]:
        """Lists the account's open holds, at most `limit` (1 to 200); raises `AccountNotFoundError`."""
        limit = checked_limit(limit)
        _, holds = await self._read_account_with(
            account_id, lambda connection, account: accounts.list_open_holds(connection, account, limit)
        )
        return [CreditHold.of(hold) for hold in holds]


def _checked_hold_id(value: str) -> str:
    return fields.text("hold_id", value, fields.ID_LENGTH_MAX)
