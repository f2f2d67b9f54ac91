"""Pictures for a credit each, as in `pictures.py`, with the credit set aside before the work and charged after it.

Each try sets its own credit aside, and a key is charged once: of two tries with one key the second is refused and gives
its credit back, and a try that failed may be repeated under its key.
"""

import asyncio
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

from sixpence import CreditService, IdempotencyConflictError, InsufficientCreditsError

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
        try:
            hold = await credits.place_hold(user, "interior")
        except InsufficientCreditsError:
            raise HTTPException(402, "no credits left") from None
        try:
            drawn = await draw(wish.prompt)
            await credits.capture_hold(user, hold.hold_id, idempotency_key=key)
        except BaseException as failure:
            await credits.release_hold(user, hold.hold_id)
            if isinstance(failure, IdempotencyConflictError):
                raise HTTPException(409, "the picture of this key was made and paid before") from None
            raise
        return {"picture": drawn}

    return app


async def draw(prompt: str) -> str:
    """The model, which takes its time."""
    await asyncio.sleep(0.03)
    return f"a picture of {prompt}"
