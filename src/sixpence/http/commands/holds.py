"""Holds: place, extend, capture and release them."""

from typing import ClassVar, Literal

from starlette.responses import Response

from sixpence.http.commands.command import Command, Target
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import metadata_of
from sixpence.http.wire.usage import TokenUsage, usage_in
from sixpence.service.credits import CreditService


class PlaceHold(Command):
    """Set credits aside."""

    feature: str
    units: int | None = None
    usage: TokenUsage | None = None
    amount: int | None = None
    ttl_seconds: int | None = None
    generation_id: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Place the hold."""
        receipt = await credits.place_hold(
            target.account_id,
            self.feature,
            units=self.units,
            usage=usage_in(self.usage),
            amount=self.amount,
            ttl_seconds=self.ttl_seconds,
            generation_id=self.generation_id,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)


class ExtendHold(Command):
    """Let a hold live longer."""

    item: ClassVar[str] = "hold_id"

    ttl_seconds: int | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Extend the hold."""
        receipt = await credits.extend_hold(
            target.account_id,
            target.item_id,
            ttl_seconds=self.ttl_seconds,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)


class CaptureHold(Command):
    """Charge what was really used."""

    item: ClassVar[str] = "hold_id"

    units: int | None = None
    usage: TokenUsage | None = None
    amount: int | None = None
    mode: Literal["exact", "up_to_available"] | None = None
    late: bool = False
    generation_id: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Capture the hold."""
        receipt = await credits.capture_hold(
            target.account_id,
            target.item_id,
            units=self.units,
            usage=usage_in(self.usage),
            amount=self.amount,
            mode=self.mode,
            late=self.late,
            generation_id=self.generation_id,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)


class ReleaseHold(Command):
    """Give back all that is held."""

    item: ClassVar[str] = "hold_id"

    reason: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Release the hold."""
        receipt = await credits.release_hold(
            target.account_id,
            target.item_id,
            reason=self.reason,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)
