"""A streamed answer that is charged at its end, and costs nothing where it breaks off."""

from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from sixpence.integrations.reserving import Reservation


def is_stream(response: Response) -> bool:
    """Whether the answer's body is made while it is sent."""
    return hasattr(response, "body_iterator")


class ChargedStream(Response):
    """An app's own streamed answer; its hold is captured when all of it was made and taken, else given back."""

    def __init__(self, stream: Any, reservation: Reservation) -> None:
        # Everything but the sending is the stream's own, so that who decorates this decorates that.
        self._stream = stream
        self._reservation = reservation
        self._whole = False
        self.status_code = stream.status_code
        self.media_type = stream.media_type
        self.raw_headers = stream.raw_headers
        self.background = stream.background
        self._stream.background = None
        self._stream.body_iterator = self._watched(self._stream.body_iterator)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, then settle what it costs."""
        try:
            await self._stream(scope, receive, send)
        finally:
            await self._settle()
        if self.background is not None:
            await self.background()

    async def _watched(self, body: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for part in body:
            yield part
        self._whole = True

    async def _settle(self) -> None:
        if self._whole:
            # It is sent: what cannot be paid any more is in the shortfall.
            await self._reservation.capture(mode="up_to_available")
        else:
            await self._reservation.release()
