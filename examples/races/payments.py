"""The webhook of a payment provider, which gives the credits that were bought. The bug: it remembers events by itself.

It checks whether an event is known, grants the credits, and only then records the event. Two concurrent deliveries both
find it unknown; so does one after a restart. `payments_fixed.py` lets the ledger record the event.
"""

from fastapi import FastAPI
from pydantic import BaseModel

from sixpence import CreditService


class Event(BaseModel):
    """A payment that went through, as the provider tells it."""

    id: str
    customer: str
    credits: int


def make_app(credits: CreditService) -> FastAPI:
    """The app over these credits."""
    app = FastAPI()
    handled: set[str] = set()

    @app.post("/webhooks/payments")
    async def paid(event: Event) -> dict[str, str]:
        if event.id in handled:
            return {"status": "known"}
        await credits.grant_credits(event.customer, event.credits, category="paid", reason=f"payment {event.id}")
        handled.add(event.id)
        return {"status": "granted"}

    return app
