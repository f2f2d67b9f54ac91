"""Refunds."""

from typing import ClassVar

from starlette.responses import Response

from sixpence.http.commands.command import Command, Target
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import metadata_of
from sixpence.service.credits import CreditService


class Refund(Command):
    """Give back what a transaction consumed: an amount, or all that is left."""

    item: ClassVar[str] = "transaction_id"
    records_actor: ClassVar[bool] = True

    amount: int | None = None
    reason: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Give it back."""
        receipt = await credits.refund(
            target.account_id,
            target.item_id,
            amount=self.amount,
            reason=self.reason,
            actor=target.actor,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)
