"""Grants, refunds, voids and manual corrections."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sixpence.core.account.commands import Adjust, GrantCredits, Refund, VoidGrant
from sixpence.core.account.grant import DEFAULT_PRIORITY
from sixpence.core.errors import InvalidInputError
from sixpence.core.refusals import IdempotencyConflictError, SourceClaimedError
from sixpence.core.rules.decide import decide
from sixpence.core.values import metadata as metadata_text
from sixpence.core.values.bounds import KEY_LENGTH_MAX, REASON_LENGTH_MAX, check_amount
from sixpence.ledger.database import source_claims
from sixpence.ledger.writer.batch import Request
from sixpence.service.operations.base import Operations, receipt
from sixpence.service.requests import fields
from sixpence.service.requests.requests import build_event_request, build_request, checked_attribution
from sixpence.service.results import receipts
from sixpence.service.results.receipts import Receipt, VoidedGrant


class GrantOperations(Operations):
    """The operations on grants, refunds and corrections."""

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
        """Gives `amount` credits, from `effective_at` (now) until `expires_at` (never), for `features` (all).

        `category` is one of plan, signup, promo, paid, refund, admin (the default). A lower `priority` (0 to 1000, 100
        by default) is spent first. `source_key` names the payment, promo code or referral behind the grant and replaces
        the idempotency key: it grants once over all accounts. A refused grant leaves it free for any account, unless
        the account changed between the check and the grant (it was closed, or reached a limit): then the key stays this
        account's. Raises `AccountNotFoundError`, `AccountClosedError`, `GrantPeriodError`, `BalanceLimitError`,
        `GrantLimitError`, `UnknownFeatureError`, `SourceClaimedError` (another account has it) and
        `IdempotencyConflictError`.
        """
        command = GrantCredits(
            amount=check_amount("amount", amount),
            category=fields.category(category),
            priority=DEFAULT_PRIORITY if priority is None else fields.priority(priority),
            effective_at=fields.instant("effective_at", effective_at),
            expires_at=fields.instant("expires_at", expires_at),
            features=None if features is None else fields.features(features),
            **checked_attribution(reason, actor, metadata),
        )
        sent = {
            "amount": amount,
            "reason": reason,
            "category": category,
            "priority": priority,
            "effective_at": command.effective_at,
            "expires_at": command.expires_at,
            "features": None if features is None else [str.__str__(name) for name in features],
            "actor": actor,
            "metadata": metadata,
        }
        if source_key is None:
            request = build_request("grant", account_id, command, sent, idempotency_key)
            return receipt(Receipt, await self._submit(request, connection))
        request = build_event_request(
            "grant", account_id, command, sent, source_key=source_key, idempotency_key=idempotency_key
        )
        if connection is not None:
            raise InvalidInputError(
                "source_key", "cannot be claimed inside another transaction. Send an idempotency_key there."
            )
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
    ) -> receipts.Refund:
        """Gives back `amount` of what a transaction consumed (by default all that is left), to the grants it came from.

        Raises `TransactionNotFoundError`, `NotRefundableError`, `RefundLimitError`, `GrantLimitError`,
        `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        command = Refund(
            transaction_id=fields.text("transaction_id", transaction_id, fields.ID_LENGTH_MAX),
            amount=fields.optional_amount("amount", amount, least=1),
            **checked_attribution(reason, actor, metadata),
        )
        sent = {
            "transaction_id": transaction_id,
            "amount": amount,
            "reason": reason,
            "actor": actor,
            "metadata": metadata,
        }
        request = build_request("refund", account_id, command, sent, idempotency_key)
        return receipt(receipts.Refund, await self._submit(request, connection))

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
        """Cancels what remains of a grant, except what holds have set aside.

        With `revoke_spent` the spent part becomes a debt, as far as the plan's overdraft allows; the `shortfall` is
        what could not be taken. Raises `GrantNotFoundError`, `GrantEndedError` (it was voided before),
        `AccountNotFoundError` and `IdempotencyConflictError`.
        """
        command = VoidGrant(
            grant_id=fields.text("grant_id", grant_id, fields.ID_LENGTH_MAX),
            revoke_spent=fields.flag("revoke_spent", revoke_spent),
            **checked_attribution(reason, actor, metadata),
        )
        # A sent False counts as left out: it is the default, and the two cannot be distinguished here.
        sent = {
            "grant_id": grant_id,
            "revoke_spent": revoke_spent or None,
            "reason": reason,
            "actor": actor,
            "metadata": metadata,
        }
        request = build_request("void_grant", account_id, command, sent, idempotency_key)
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
        """Corrects the balance by hand, up or (with a negative `amount`) down, with its actor and reason.

        Raises `AdjustLimitError` (with what it could take), `BalanceLimitError`, `GrantLimitError`,
        `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        command = Adjust(
            amount=fields.correction(amount),
            reason=fields.text("reason", reason, REASON_LENGTH_MAX),
            actor=fields.text("actor", actor, KEY_LENGTH_MAX),
            metadata=metadata_text.canonical(metadata),
        )
        sent = {"amount": amount, "reason": reason, "actor": actor, "metadata": metadata}
        request = build_request("adjust", account_id, command, sent, idempotency_key)
        return receipt(Receipt, await self._submit(request, connection))

    async def _claim(self, source_key: str, request: Request) -> None:
        """Claims the outside event for the account, in a transaction of its own. A redelivery finds the claim."""
        account_id = request.account_id
        context, owner = await self._read_account_with(
            account_id, lambda connection, _: source_claims.find_owner(connection, source_key)
        )
        if owner is None:
            # A claim cannot be undone, so a grant that would be refused must not make one. After a claim the grant
            # may exist as well: then it is a replay, and not decided here.
            refusal = decide(context.account, request.command, clock=context.now, priced_by=context.priced_by).refusal
            if refusal is not None:
                raise refusal
            owner = await self._write(
                lambda connection: source_claims.claim(connection, source_key, account_id, self._ledger.now(connection))
            )
        if owner != account_id:
            raise SourceClaimedError(source_key, owner)
