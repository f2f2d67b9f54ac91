"""Accounts and the credits they are given: make an account, grant, void a grant, adjust by hand."""

from datetime import datetime
from typing import ClassVar

from starlette.responses import Response

from sixpence.core.values.instant import from_wire, to_datetime
from sixpence.http.commands.command import Command, Target
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import metadata_of
from sixpence.service.credits import CreditService


class EnsureAccount(Command):
    """Make an account with its signup credits, or find it."""

    account_id: str
    label: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Make it: 201 when this request made it, 200 when it existed."""
        account = await credits.initialize_user_credits(
            target.account_id,
            label=self.label,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.opened(account)


class Grant(Command):
    """Give credits; times are ISO 8601 with an offset."""

    records_actor: ClassVar[bool] = True

    amount: int
    reason: str
    category: str | None = None
    priority: int | None = None
    effective_at: str | None = None
    expires_at: str | None = None
    features: list[str] | None = None
    source_key: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Give them."""
        receipt = await credits.grant_credits(
            target.account_id,
            self.amount,
            reason=self.reason,
            category=self.category,
            priority=self.priority,
            effective_at=_datetime_of("effective_at", self.effective_at),
            expires_at=_datetime_of("expires_at", self.expires_at),
            features=self.features,
            actor=target.actor,
            metadata=metadata_of(self.metadata),
            source_key=self.source_key,
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)


class VoidGrant(Command):
    """Cancel what remains of a grant."""

    item: ClassVar[str] = "grant_id"
    records_actor: ClassVar[bool] = True

    revoke_spent: bool = False
    reason: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Void the grant."""
        receipt = await credits.void_grant(
            target.account_id,
            target.item_id,
            revoke_spent=self.revoke_spent,
            reason=self.reason,
            actor=target.actor,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)


class Adjust(Command):
    """Correct the balance by hand: up or, with a negative amount, down."""

    records_actor: ClassVar[bool] = True

    amount: int
    reason: str

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Correct it."""
        receipt = await credits.adjust(
            target.account_id,
            self.amount,
            reason=self.reason,
            actor=target.actor,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)


def _datetime_of(field: str, text: str | None) -> datetime | None:
    return None if text is None else to_datetime(from_wire(field, text))
