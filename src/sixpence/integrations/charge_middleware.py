"""The middleware that captures or releases a request's reservations once the response's final status is known.

An endpoint does not know it: a framework may set another status, or fail to send the response. So the decorator
records the reservations in the request's scope (`Charges`), and a middleware around the whole app (`ChargeMiddleware`)
captures or releases them. Not here: how a hold is placed and ended (`reservations`).
"""

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sixpence.core.errors import CreditSystemError
from sixpence.http.wire.error_handlers import Handler
from sixpence.integrations.idempotency_fingerprint import IdempotencyFingerprint
from sixpence.integrations.reservations import Reservation

_SCOPE_KEY = "sixpence.charges"


class Charges:
    """The open reservations of one request: neither captured nor released yet."""

    def __init__(self, scope: Scope) -> None:
        self.fingerprint = IdempotencyFingerprint(scope)
        # A streamed response is charged when its body is complete.
        self.streamed = False
        self.complete = False
        self._open: list[Reservation] = []

    def add(self, reservation: Reservation, response: Any) -> None:
        """Adds a reservation that ends with this response."""
        self._open.append(reservation)
        if isinstance(response, Response) and hasattr(response, "body_iterator"):
            self.streamed = True
            response.body_iterator = self._watch(response.body_iterator)

    def __bool__(self) -> bool:
        return bool(self._open)

    async def capture(self, *, mode: str | None = None) -> None:
        """Captures every reservation. One that is refused is released, and its refusal raised; the rest stays open."""
        while self._open:
            # Removed first: a capture continues if its caller is cancelled, and must not be released then.
            reservation = self._open.pop()
            try:
                await reservation.capture(mode=mode)
            except CreditSystemError:
                await reservation.release()
                raise

    async def release(self) -> None:
        """Releases every open reservation."""
        while self._open:
            await self._open.pop().release()

    async def _watch(self, body: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for part in body:
            yield part
        self.complete = True


def charges_of(request: Request, endpoint: str) -> Charges:
    """The charges of a request; raises `RuntimeError` in an app without the middleware."""
    charges = request.scope.get(_SCOPE_KEY)
    if not isinstance(charges, Charges):
        raise RuntimeError(
            f"{endpoint} is charged for, but this app has no middleware that captures charges: make the app with "
            "`middleware=integration.middleware`, as with `exception_handlers=integration.exception_handlers`"
        )
    return charges


class ChargeMiddleware:
    """Captures before a response below 400 is sent, and releases in every other case.

    If the capture is refused the response is not sent; the handler `refused` makes another one.
    """

    def __init__(self, app: ASGIApp, refused: Handler) -> None:
        self._app = app
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves the request, then captures or releases what it reserved."""
        if scope["type"] != "http" or _SCOPE_KEY in scope:
            await self._app(scope, receive, send)
            return
        charges = scope[_SCOPE_KEY] = Charges(scope)
        response = _Response(scope, receive, send, charges)
        try:
            await self._app(scope, response.receive, response.send)
        except Exception:
            # A refused capture ended the app. On its way through the app it may have become another exception.
            if response.refusal is None:
                raise
        finally:
            del scope[_SCOPE_KEY]
            await charges.release()
        if response.refusal is not None:
            refused = await self._refused(Request(scope), response.refusal)
            await refused(scope, receive, send)


class _Response:
    """A response while it is sent; `refusal` is why it was not sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, charges: Charges) -> None:
        self.refusal: CreditSystemError | None = None
        self._scope = scope
        self._receive = receive
        self._send = send
        self._charges = charges

    async def receive(self) -> Message:
        message = await self._receive()
        self._charges.fingerprint.add(message)
        return message

    async def send(self, message: Message) -> None:
        if self.refusal is not None:
            return
        if message["type"] == "http.response.start":
            await self._begin(message["status"])
        elif message["type"] == "http.response.body" and not message.get("more_body", False):
            await self._end()
        await self._send(message)

    async def _begin(self, status: int) -> None:
        if status >= 400:
            await self._charges.release()
        elif self._charges and not self._charges.streamed:
            if await self._is_client_gone():
                await self._charges.release()
                return
            try:
                await self._charges.capture()
            except CreditSystemError as refusal:
                self.refusal = refusal
                raise

    async def _end(self) -> None:
        if self._charges.complete:
            # The response was sent: unpaid credits are in the shortfall.
            await self._charges.capture(mode="up_to_available")
        else:
            await self._charges.release()

    async def _is_client_gone(self) -> bool:
        request = Request(self._scope, self.receive)
        # If the endpoint read no body, its empty message comes first.
        return await request.is_disconnected() or await request.is_disconnected()
