"""Reservations: credits set aside before some work of an app, and charged or given back when it has ended.

Not here: HTTP, the request's user and the response (`starlette`).
"""

import asyncio
import hashlib
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from sixpence.core.catalog.price import Usage
from sixpence.core.errors import UnavailableError
from sixpence.core.refusals import HoldEndedError, IdempotencyConflictError
from sixpence.core.values.bounds import KEY_LENGTH_MAX
from sixpence.service.credits import CreditService
from sixpence.service.results.receipts import CapturedHold, PlacedHold

T = TypeVar("T")

# Room for what `key_for` appends to a key.
_KEY_SUFFIX_LENGTH_MAX = 40
# Tasks that continue after their caller was cancelled. Without a reference they might be garbage collected.
_background_tasks: set["asyncio.Task[Any]"] = set()


class Reservation:
    """A hold for some work. `paid` means that the same work was captured before, under the same key.

    End it once: `capture` if the work succeeded, `release` if it failed. Both run to their end even if the caller is
    cancelled. If the process dies, the hold expires.
    """

    def __init__(self, request: "ReservationRequest", hold_id: str, attempt: int, *, paid: bool) -> None:
        self.hold_id = hold_id
        self.paid = paid
        self._request = request
        self._attempt = attempt

    async def capture(
        self,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        amount: int | None = None,
        mode: str | None = None,
    ) -> CapturedHold:
        """Charges what was used, or all that is held; an expired hold is charged late.

        Raises `InsufficientCreditsError` if the credits do not suffice (not with the mode "up_to_available"). If
        another request with the same key has released the hold, the work is reserved and charged again.
        """
        return await run_to_end(self._capture({"units": units, "usage": usage, "amount": amount, "mode": mode}))

    async def release(self) -> None:
        """Gives back what is held; does nothing if the hold has ended."""
        if not self.paid:
            await run_to_end(self._release())

    async def _capture(self, used: dict[str, Any]) -> CapturedHold:
        request = self._request
        try:
            return await request.credits.capture_hold(
                request.account_id,
                self.hold_id,
                **used,
                late=True,
                generation_id=request.generation_id,
                metadata=request.metadata,
                idempotency_key=request.key_for("capture", self._attempt),
            )
        except HoldEndedError as ended:
            if ended.state != "released" or request.key is None:
                raise
        retry = await request.reserve(self._attempt + 1)
        return await retry._capture(used)

    async def _release(self) -> None:
        # If the database is unavailable the hold expires, and the caller still sees why the work failed.
        request = self._request
        with suppress(HoldEndedError, UnavailableError):
            await request.credits.release_hold(request.account_id, self.hold_id, reason="the work failed")


class ReservationRequest:
    """The use of a feature to reserve credits for. With a key it is charged once, however often it is reserved."""

    def __init__(
        self,
        credits: CreditService,
        account_id: str,
        feature: str,
        *,
        generation_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        key: str | None = None,
        **terms: Any,
    ) -> None:
        self.credits = credits
        self.account_id = account_id
        self.feature = feature
        self.generation_id = generation_id
        self.metadata = metadata
        self.key = key
        self._terms = terms

    async def reserve(self, attempt: int = 1) -> Reservation:
        """Sets the credits aside; raises what `place_hold` raises. If it is cancelled, no hold remains."""
        placing = asyncio.ensure_future(self._reserve(attempt))
        try:
            return await run_to_end(placing)
        except asyncio.CancelledError:
            _keep_reference(asyncio.ensure_future(_release_when_placed(placing)))
            raise

    def key_for(self, step: str, attempt: int) -> str | None:
        """The key of one step; a key that is too long to be extended is replaced by its digest."""
        if self.key is None:
            return None
        is_long = len(self.key) > KEY_LENGTH_MAX - _KEY_SUFFIX_LENGTH_MAX
        return f"{hashlib.sha256(self.key.encode()).hexdigest() if is_long else self.key}:{step}:{attempt}"

    async def _reserve(self, attempt: int) -> Reservation:
        while True:
            placed = await self._place(attempt)
            if not placed.replayed:
                return Reservation(self, placed.hold_id, attempt, paid=False)
            # A replay: the same work is running, was charged, or failed.
            try:
                ttl_seconds = self._terms.get("ttl_seconds")
                await self.credits.extend_hold(self.account_id, placed.hold_id, ttl_seconds=ttl_seconds)
            except HoldEndedError as ended:
                if ended.state == "captured" or ended.captured_late:
                    return Reservation(self, placed.hold_id, attempt, paid=True)
                attempt += 1
            else:
                return Reservation(self, placed.hold_id, attempt, paid=False)

    async def _place(self, attempt: int) -> PlacedHold:
        try:
            return await self.credits.place_hold(
                self.account_id,
                self.feature,
                **self._terms,
                generation_id=self.generation_id,
                metadata=self.metadata,
                idempotency_key=self.key_for("hold", attempt),
            )
        except IdempotencyConflictError:
            if self.key is None:
                raise
            # Report the caller's key, not the key of the step.
            raise IdempotencyConflictError(self.key) from None


async def run_to_end(step: "Coroutine[Any, Any, T] | asyncio.Future[T]") -> T:
    """Waits for the step's result; if the caller is cancelled, the step still runs to its end."""
    task = asyncio.ensure_future(step)
    _keep_reference(task)
    return await asyncio.shield(task)


def _keep_reference(task: "asyncio.Future[Any]") -> None:
    _background_tasks.add(task)  # type: ignore[arg-type]
    task.add_done_callback(_background_tasks.discard)


async def _release_when_placed(placing: "asyncio.Future[Reservation]") -> None:
    await asyncio.wait((placing,))
    if not placing.cancelled() and placing.exception() is None:
        await placing.result().release()
