"""A use of a feature."""

from starlette.responses import Response

from sixpence.http.commands.command import Command, Target
from sixpence.http.wire import responses
from sixpence.http.wire.bodies import metadata_of
from sixpence.http.wire.usage import TokenUsage, usage_in
from sixpence.service.credits import CreditService


class Consume(Command):
    """Spend the price of one use."""

    feature: str
    units: int | None = None
    usage: TokenUsage | None = None
    generation_id: str | None = None

    async def run(self, credits: CreditService, target: Target) -> Response:
        """Spend it."""
        receipt = await credits.consume_credit(
            target.account_id,
            self.feature,
            units=self.units,
            usage=usage_in(self.usage),
            generation_id=self.generation_id,
            metadata=metadata_of(self.metadata),
            idempotency_key=target.idempotency_key,
        )
        return responses.changed(receipt)
