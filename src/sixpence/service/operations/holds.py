"""Holds: setting credits aside for work that is beginning, and what becomes of them."""

from typing import Any

from sixpence.core.catalog.price import Usage
from sixpence.ledger.reads import accounts
from sixpence.service.operations.base import Operations, receipt
from sixpence.service.requests import holds
from sixpence.service.requests.paging import PAGE_SIZE, checked_limit
from sixpence.service.results.receipts import CapturedHold, ExtendedHold, PlacedHold, ReleasedHold
from sixpence.service.results.results import CreditHold


class Holding(Operations):
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
        """Set credits aside for a use that is beginning: `amount`, or what `units` or a `usage` cost, or one call.

        The hold expires by itself after `ttl_seconds` (1 to 2,592,000, which is 30 days; 600 where nothing is said). On
        an unlimited plan nothing is set aside, and the use is covered. Raises what `consume_credit` does.
        """
        request = holds.place(
            account_id,
            feature,
            units=units,
            usage=usage,
            amount=amount,
            ttl_seconds=ttl_seconds,
            generation_id=generation_id,
            metadata=metadata,
            key=idempotency_key,
        )
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
        """Let an open hold live for `ttl_seconds` (600) from now, never shorter than it would.

        Raises `HoldNotFoundError` and `HoldEndedError`, which says when and how the hold ended.
        """
        request = holds.extend(account_id, hold_id, ttl_seconds=ttl_seconds, metadata=metadata, key=idempotency_key)
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
        """Charge what was really used (`amount`, what `units` or a `usage` cost, or all that is held); free the rest.

        Where more was used than is held the rest comes from what remains; where that is too little, `mode` "exact" (the
        default) refuses, and "up_to_available" takes what there is and says the `shortfall`. With `late` a hold that
        has expired is charged by a use of its own, once. Raises `HoldNotFoundError`, `HoldEndedError`,
        `InsufficientCreditsError` and `UnpricedUsageError`; then the hold is as it was.
        """
        request = holds.capture(
            account_id,
            hold_id,
            units=units,
            usage=usage,
            amount=amount,
            mode=mode,
            late=late,
            generation_id=generation_id,
            metadata=metadata,
            key=idempotency_key,
        )
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
        """Give back all that an open hold has set aside; raises `HoldNotFoundError` and `HoldEndedError`."""
        request = holds.release(account_id, hold_id, reason=reason, metadata=metadata, key=idempotency_key)
        return receipt(ReleasedHold, await self._submit(request, connection))

    async def list_holds(self, account_id: str, *, limit: int = PAGE_SIZE) -> list[CreditHold]:
        """The account's open holds, at most `limit` (1 to 200); raises `AccountNotFoundError`."""
        limit = checked_limit(limit)
        _, holds = await self._standing(
            account_id, lambda connection, account: accounts.list_open_holds(connection, account, limit)
        )
        return [CreditHold.of(hold) for hold in holds]
