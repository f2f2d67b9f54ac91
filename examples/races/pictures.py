"""Pictures for a credit each. The bug: it looks at the balance, works, and charges when the picture is made.

Calls that come meanwhile all see a balance that is enough for one picture, and a charge that is refused at the end is
ignored, so that nobody loses a finished picture. `pictures_fixed.py` sets the credit aside first.
"""

import asyncio
from contextlib import suppress
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

from sixpence import CreditService, InsufficientCreditsError

User = Annotated[str, Header(alias="X-User")]
Key = Annotated[str, Header(alias="Idempotency-Key")]


class Wish(BaseModel):
    """What the picture is to show."""

    prompt: str


def make_app(credits: CreditService) -> FastAPI:
    """The app over these credits."""
    app = FastAPI()

    @app.post("/pictures")
    async def picture(wish: Wish, user: User, key: Key) -> dict[str, str]:
        check = await credits.validate_credit_usage(user, "interior")
        if not check.allowed:
            raise HTTPException(402, "no credits left")
        drawn = await draw(wish.prompt)
        with suppress(InsufficientCreditsError):
            await credits.consume_credit(user, "interior", idempotency_key=key)
        return {"picture": drawn}

    return app


async def draw(prompt: str) -> str:
    """The model, which takes its time."""
    await asyncio.sleep(0.03)
    return f"a picture of {prompt}"
