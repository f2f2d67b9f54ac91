"""The webhook of `payments.py` with the event's own id as the grant's source: over all accounts it grants once."""

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

    @app.post("/webhooks/payments")
    async def paid(event: Event) -> dict[str, str]:
        await credits.grant_credits(
            event.customer, event.credits, category="paid", reason=f"payment {event.id}", source_key=event.id
        )
        return {"status": "granted"}

    return app
