"""`GET /studio/generations`: the list of an account's pictures, and the pictures, for their owner alone."""

import asyncio
from typing import get_args

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from sixpence.integrations.starlette import CreditIntegration
from sixpence_studio.endpoints.orders import picture_urls
from sixpence_studio.gallery import Gallery, Generation, Side

# Only the one browser may cache it, and only for this session: another session requests it again.
_PRIVATE = {"Cache-Control": "private, max-age=86400, immutable", "Vary": "Cookie", "X-Content-Type-Options": "nosniff"}


class GalleryEndpoint:
    """Shows the pictures that the signed-in user has paid for; everybody else gets a 404."""

    def __init__(self, integration: CreditIntegration, gallery: Gallery) -> None:
        self._integration = integration
        self._gallery = gallery

    async def list(self, request: Request) -> Response:
        """The user's generations, newest first."""
        account_id = await self._integration.account_of(request)
        generations = await asyncio.to_thread(self._gallery.list_paid, account_id)
        return JSONResponse(
            {"generations": [_to_wire(each) for each in generations]}, headers={"Cache-Control": "no-store"}
        )

    async def picture(self, request: Request) -> Response:
        """The original or the result of one generation, as a file."""
        account_id = await self._integration.account_of(request)
        side: Side = request.path_params["side"]
        generation = await asyncio.to_thread(self._gallery.find, account_id, str(request.path_params["generation_id"]))
        if generation is None or generation.paid_at is None or side not in get_args(Side):
            raise HTTPException(404)
        media_type = "image/jpeg" if side == "before" else generation.media_type
        return FileResponse(self._gallery.path(generation, side), headers=_PRIVATE, media_type=media_type)


def _to_wire(generation: Generation) -> object:
    facts = {"credits_consumed": generation.credits_consumed, "created_at": generation.paid_at}
    return msgspec.to_builtins({**picture_urls(generation), **facts})
