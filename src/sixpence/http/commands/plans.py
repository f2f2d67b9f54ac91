"""An account's plan and its status: change and cancel a plan; freeze, unfreeze and close the account."""

from typing import Any, ClassVar

from starlette.responses import Response

from sixpence.http.commands.command import Command, Target
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import metadata_of
from sixpence.service.credits import CreditService


class _Reasoned(Command, kw_only=True):
    records_actor: ClassVar[bool] = True

    reason: str | None = None

    def _common(self, target: Target) -> dict[str, Any]:
        """The arguments that all of these share."""
        return {
            "reason": self.reason,
            "actor": target.actor,
            "metadata": metadata_of(self.metadata),
            "idempotency_key": target.idempotency_key,
        }


class ChangePlan(_Reasoned):
    """Put the account on a plan."""

    plan: str
    trial: bool = False

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Change the plan."""
        status = await credits.update_subscription_status(
            target.account_id, self.plan, trial=self.trial, **self._common(target)
        )
        return responses.changed(status)


class CancelPlan(_Reasoned):
    """Let the plan run to the end of its term."""

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Cancel the plan."""
        return responses.changed(await credits.cancel_subscription(target.account_id, **self._common(target)))


class FreezeAccount(_Reasoned):
    """Let nothing more be spent."""

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Freeze the account."""
        return responses.changed(await credits.freeze_account(target.account_id, **self._common(target)))


class UnfreezeAccount(_Reasoned):
    """End a freeze."""

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Unfreeze the account."""
        return responses.changed(await credits.unfreeze_account(target.account_id, **self._common(target)))


class CloseAccount(_Reasoned):
    """End the account for good."""

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Close the account."""
        return responses.changed(await credits.close_account(target.account_id, **self._common(target)))
