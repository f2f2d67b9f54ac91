"""Credits that come and go outside of uses: grants, refunds, voids and corrections by hand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import IdempotencyConflictError, SourceClaimedError
from sixpence.core.rules.decide import decide
from sixpence.ledger.database import source_claims
from sixpence.ledger.writer.batch import Request
from sixpence.service.operations.base import Operations, receipt
from sixpence.service.requests import requests
from sixpence.service.results.receipts import Receipt, Refund, VoidedGrant


class Granting(Operations):
    """The operations on grants."""

    async def grant_credits(
        self,
        account_id: str,
        amount: int,
        *,
        reason: str | None = None,
        category: str | None = None,
        priority: int | None = None,
        effective_at: datetime | None = None,
        expires_at: datetime | None = None,
        features: Sequence[str] | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        source_key: str | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> Receipt:
        """Give `amount` credits, from `effective_at` (now) until `expires_at` (never), for `features` (all).

        `category` is one of plan, signup, promo, paid, refund, admin (the default); a lower `priority` (0 to 1000, 100
        by default) is spent first. `source_key` names the payment, promo code or referral that it is for, in place of
        an idempotency key: over all accounts it grants once. A grant that is refused leaves it free for any account,
        unless the account changed in the moment between being looked at and being given to (it was closed just then,
        or filled up): then the key stays this account's. Raises `AccountNotFoundError`, `AccountClosedError`,
        `GrantPeriodError`, `BalanceLimitError`, `GrantLimitError`, `UnknownFeatureError`, `SourceClaimedError` (another
        account has it) and `IdempotencyConflictError`.
        """
        request = requests.grant(
            account_id,
            amount,
            reason=reason,
            category=category,
            priority=priority,
            effective_at=effective_at,
            expires_at=expires_at,
            features=features,
            actor=actor,
            metadata=metadata,
            source_key=source_key,
            key=idempotency_key,
        )
        if source_key is not None and connection is not None:
            raise InvalidInputError(
                "source_key", "cannot be claimed inside another transaction. Send an idempotency_key there."
            )
        if source_key is None:
            return receipt(Receipt, await self._submit(request, connection))
        await self._claim(source_key, request)
        try:
            return receipt(Receipt, await self._submit(request))
        except IdempotencyConflictError:
            raise IdempotencyConflictError(source_key) from None

    async def refund(
        self,
        account_id: str,
        transaction_id: str,
        *,
        amount: int | None = None,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> Refund:
        """Give back `amount` of what a transaction consumed (all that is left of it), to the grants it came from.

        Raises `TransactionNotFoundError`, `NotRefundableError`, `RefundLimitError`, `GrantLimitError`,
        `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        request = requests.refund(
            account_id,
            transaction_id,
            amount=amount,
            reason=reason,
            actor=actor,
            metadata=metadata,
            key=idempotency_key,
        )
        return receipt(Refund, await self._submit(request, connection))

    async def void_grant(
        self,
        account_id: str,
        grant_id: str,
        *,
        revoke_spent: bool = False,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> VoidedGrant:
        """Cancel what remains of a grant and no hold has set aside.

        With `revoke_spent` what was spent of it becomes a debt, as far as the plan's overdraft allows; the `shortfall`
        says what could not be taken. Raises `GrantNotFoundError`, `GrantEndedError` (it was voided before),
        `AccountNotFoundError` and `IdempotencyConflictError`.
        """
        request = requests.void_grant(
            account_id,
            grant_id,
            revoke_spent=revoke_spent,
            reason=reason,
            actor=actor,
            metadata=metadata,
            key=idempotency_key,
        )
        return receipt(VoidedGrant, await self._submit(request, connection))

    async def adjust(
        self,
        account_id: str,
        amount: int,
        *,
        reason: str,
        actor: str,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> Receipt:
        """Correct the balance by hand, up or (with a negative `amount`) down, with who does it and why.

        Raises `AdjustLimitError` (with what it could take), `BalanceLimitError`, `GrantLimitError`,
        `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        request = requests.adjust(
            account_id, amount, reason=reason, actor=actor, metadata=metadata, key=idempotency_key
        )
        return receipt(Receipt, await self._submit(request, connection))

    async def _claim(self, source_key: str, request: Request) -> None:
        """Take the outside event for the account, in a transaction of its own: a redelivery follows the claim."""
        account_id = request.account_id
        scene, owner = await self._standing(
            account_id, lambda connection, _: source_claims.find_owner(connection, source_key)
        )
        if owner is None:
            # A claim cannot be taken back, so what would be refused must not have one. Where there is one, the grant
            # may be there too, and is answered as it was.
            refusal = decide(scene.account, request.command, clock=scene.now, priced_by=scene.priced_by).refusal
            if refusal is not None:
                raise refusal
            owner = await self._write(
                lambda connection: source_claims.claim(connection, source_key, account_id, self._ledger.now(connection))
            )
        if owner != account_id:
            raise SourceClaimedError(source_key, owner)
