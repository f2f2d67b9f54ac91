"""Settling: what a request has reserved is charged or given back when the status that really leaves is known.

An endpoint does not know it: a framework may set another status, or fail to write the answer. So the decorator
leaves a note in the request's scope (`Charges`), and a middleware around the whole app (`Settling`) acts on it.
Not here: how a hold is placed and ended (`reserving`).
"""

from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sixpence.core.errors import CreditSystemError
from sixpence.http.wire.error_handlers import Handler
from sixpence.integrations.request_fingerprint import RequestFingerprint
from sixpence.integrations.reserving import Reservation

_SCOPE_KEY = "sixpence.charges"


class Charges:
    """What one request has reserved and not settled yet."""

    def __init__(self, scope: Scope) -> None:
        self.fingerprint = RequestFingerprint(scope)
        # A streamed answer is charged when all of it was made.
        self.streamed = False
        self.whole = False
        self._open: list[Reservation] = []

    def add(self, reservation: Reservation, response: Any) -> None:
        """Leave what the work behind an answer has reserved to be settled with that answer."""
        self._open.append(reservation)
        if isinstance(response, Response) and hasattr(response, "body_iterator"):
            self.streamed = True
            response.body_iterator = self._watched(response.body_iterator)

    def __bool__(self) -> bool:
        return bool(self._open)

    async def capture(self, *, mode: str | None = None) -> None:
        """Charge all of it; what cannot be charged goes back and raises, and what then is left is still open."""
        while self._open:
            # Taken out first: a capture goes on when whoever waits for it is cancelled, and nothing may release it.
            reservation = self._open.pop()
            try:
                await reservation.capture(mode=mode)
            except CreditSystemError:
                await reservation.release()
                raise

    async def release(self) -> None:
        """Give back all that is not settled."""
        while self._open:
            await self._open.pop().release()

    async def _watched(self, body: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for part in body:
            yield part
        self.whole = True


def charges_of(request: Request, endpoint: str) -> Charges:
    """The note of a request; raises where nobody would settle it."""
    charges = request.scope.get(_SCOPE_KEY)
    if not isinstance(charges, Charges):
        raise RuntimeError(
            f"{endpoint} is charged for, but nothing in this app settles charges: make the app with "
            "`middleware=integration.middleware`, as with `exception_handlers=integration.exception_handlers`"
        )
    return charges


class Settling:
    """The middleware: captures before an answer below 400 leaves, and gives back for everything else.

    An answer whose capture is refused does not leave: `refused` answers in its place.
    """

    def __init__(self, app: ASGIApp, refused: Handler) -> None:
        self._app = app
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, and settle what it reserved."""
        if scope["type"] != "http" or _SCOPE_KEY in scope:
            await self._app(scope, receive, send)
            return
        charges = scope[_SCOPE_KEY] = Charges(scope)
        answer = _Answer(scope, receive, send, charges)
        try:
            await self._app(scope, answer.receive, answer.send)
        except Exception:
            # The refusal went through the app to end it; on its way it may have become another exception.
            if answer.refusal is None:
                raise
        finally:
            del scope[_SCOPE_KEY]
            await charges.release()
        if answer.refusal is not None:
            response = await self._refused(Request(scope), answer.refusal)
            await response(scope, receive, send)


class _Answer:
    """One answer on its way out; `refusal` is why it was kept back."""

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
        if self._charges.whole:
            # It is sent: what cannot be paid any more is in the shortfall.
            await self._charges.capture(mode="up_to_available")
        else:
            await self._charges.release()

    async def _is_client_gone(self) -> bool:
        request = Request(self._scope, self.receive)
        # Where the endpoint took no body, the empty one comes first.
        return await request.is_disconnected() or await request.is_disconnected()
