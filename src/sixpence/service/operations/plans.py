"""Plans and lifecycle: change or cancel an account's plan, freeze, unfreeze and close the account."""

from typing import Any

from sixpence.core.account.commands import CancelPlan, ChangePlan, Close, Freeze, Unfreeze
from sixpence.ledger.writer.batch import Request
from sixpence.service.operations.base import Operations
from sixpence.service.requests import fields
from sixpence.service.requests.requests import build_request, checked_attribution
from sixpence.service.results.receipts import AccountStatus, PlanStatus


class PlanOperations(Operations):
    """The operations on an account's plan and lifecycle."""

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
        """Puts the account on `plan`: a higher one now, another at the end of the current term; `trial` starts a trial.

        Raises `AccountNotFoundError`, `AccountClosedError`, `UnknownPlanError`, `TrialRefusedError` and
        `IdempotencyConflictError`.
        """
        command = ChangePlan(
            plan=fields.text("plan", plan, fields.NAME_LENGTH_MAX),
            trial=fields.flag("trial", trial),
            **checked_attribution(reason, actor, metadata),
        )
        sent = {"plan": plan, "trial": trial or None, "reason": reason, "actor": actor, "metadata": metadata}
        request = build_request("change_plan", account_id, command, sent, idempotency_key)
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
        """Ends the plan at the end of its term, or at once without one; then the account has the default plan.

        Raises `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        request = _build_request("cancel_plan", account_id, CancelPlan, reason, actor, metadata, idempotency_key)
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
        """Freezes the account: uses and new holds are refused, captures and refunds continue.

        Raises `AccountNotFoundError`, `AccountClosedError` and `IdempotencyConflictError`.
        """
        request = _build_request("freeze", account_id, Freeze, reason, actor, metadata, idempotency_key)
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
        """Ends a freeze; raises what `freeze_account` does."""
        request = _build_request("unfreeze", account_id, Unfreeze, reason, actor, metadata, idempotency_key)
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
        """Closes the account for good: unheld credits are void, and only open holds can still be captured or released.

        Raises `AccountNotFoundError` and `IdempotencyConflictError`.
        """
        request = _build_request("close", account_id, Close, reason, actor, metadata, idempotency_key)
        return AccountStatus.of(await self._submit(request, connection))


def _build_request(
    operation: str,
    account_id: str,
    command: type[CancelPlan | Freeze | Unfreeze | Close],
    reason: str | None,
    actor: str | None,
    metadata: dict[str, Any] | None,
    idempotency_key: str | None,
) -> Request:
    """Builds the request of a command that has no fields but its reason, actor and metadata."""
    sent = {"reason": reason, "actor": actor, "metadata": metadata}
    return build_request(
        operation, account_id, command(**checked_attribution(reason, actor, metadata)), sent, idempotency_key
    )
