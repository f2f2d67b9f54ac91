"""Plans, and how an account stands: which plan it is on, freezing it, closing it."""

from typing import Any

from sixpence.service.operations.base import Operations
from sixpence.service.requests import plans
from sixpence.service.results.receipts import AccountStatus, PlanStatus


class Planning(Operations):
    """The operations on an account's plan and standing."""

    async def update_subscription_status(
        self,
        account_id: str,
        plan: str,
        *,
        trial: bool = False,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> PlanStatus:
        """Put the account on `plan`: a higher one now, another at the end of the running term; `trial` tries it first.

        Raises `AccountNotFoundError`, `AccountClosedError`, `UnknownPlanError`, `TrialRefusedError` and
        `IdempotencyConflictError`.
        """
        request = plans.change_plan(
            account_id, plan, trial=trial, reason=reason, actor=actor, metadata=metadata, key=idempotency_key
        )
        return PlanStatus.of(await self._submit(request, connection))

    async def cancel_subscription(
        self,
        account_id: str,
        *,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> PlanStatus:
        """Let the plan run to the end of its term; then, or at once without one, the account has the default plan.

        Raises `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        request = plans.cancel_plan(account_id, reason=reason, actor=actor, metadata=metadata, key=idempotency_key)
        return PlanStatus.of(await self._submit(request, connection))

    async def freeze_account(
        self,
        account_id: str,
        *,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> AccountStatus:
        """Let nothing more be spent or set aside; captures and refunds go on.

        Raises `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        request = plans.freeze(account_id, reason=reason, actor=actor, metadata=metadata, key=idempotency_key)
        return AccountStatus.of(await self._submit(request, connection))

    async def unfreeze_account(
        self,
        account_id: str,
        *,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> AccountStatus:
        """End a freeze; raises what `freeze_account` does."""
        request = plans.unfreeze(account_id, reason=reason, actor=actor, metadata=metadata, key=idempotency_key)
        return AccountStatus.of(await self._submit(request, connection))

    async def close_account(
        self,
        account_id: str,
        *,
        reason: str | None = None,
        actor: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> AccountStatus:
        """End the account, for good: what nothing has set aside is void, and nothing comes or goes any more.

        Raises `AccountNotFoundError` and `IdempotencyConflictError`.
        """
        request = plans.close(account_id, reason=reason, actor=actor, metadata=metadata, key=idempotency_key)
        return AccountStatus.of(await self._submit(request, connection))
