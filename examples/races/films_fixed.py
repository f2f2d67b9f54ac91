"""Films that are streamed while they are made, as in `films.py`; here the hold ends on every way out."""

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from sixpence import CreditService, InsufficientCreditsError


def make_app(credits: CreditService) -> Starlette:
    """The app over these credits."""

    async def film(request: Request) -> Response:
        user, key = request.headers["x-user"], request.headers["idempotency-key"]
        about = (await request.json())["about"]
        try:
            hold = await credits.place_hold(user, "video", idempotency_key=key)
        except InsufficientCreditsError:
            return JSONResponse({"error": "no credits left"}, 402)
        if hold.replayed:
            return JSONResponse({"error": "this key was used before: take a new one"}, 409)

        async def reel() -> AsyncIterator[bytes]:
            try:
                async for frame in render(about):
                    yield frame
            except BaseException:
                await credits.release_hold(user, hold.hold_id)
                raise
            await credits.capture_hold(user, hold.hold_id)

        return StreamingResponse(reel(), media_type="video/mp4")

    return Starlette(routes=[Route("/films", film, methods=["POST"])])


async def render(about: str) -> AsyncIterator[bytes]:
    """The model, frame by frame."""
    for number in range(3):
        await asyncio.sleep(0.02)
        yield f"frame {number} of {about}\n".encode()
