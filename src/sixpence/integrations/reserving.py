"""Reserving: credits set aside before some work of an app's own, and charged or given back when it has ended.

Nothing of HTTP here; whose request it is, and what is answered, stands in `starlette`.
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

# What a key gets appended must fit in, too.
_KEY_ROOM = 40
# Work that goes on although whoever began it is gone; without a reference it might be collected.
_going_on: set["asyncio.Task[Any]"] = set()


class Reservation:
    """A hold for some work. `paid` says that this very work was captured before, under the same key.

    End it once: `capture` when the work is good, `release` when it is not. Both go on to their end even when whoever
    asked is cancelled, and a process that dies leaves a hold that expires by itself.
    """

    def __init__(self, use: "Use", hold_id: str, attempt: int, *, paid: bool) -> None:
        self.hold_id = hold_id
        self.paid = paid
        self._use = use
        self._attempt = attempt

    async def capture(
        self,
        *,
        units: int | None = None,
        usage: Usage | None = None,
        amount: int | None = None,
        mode: str | None = None,
    ) -> CapturedHold:
        """Charge what was really used, or all that is held; a hold that has expired is charged late.

        Raises `InsufficientCreditsError` where that is too little (not with the mode "up_to_available"). Where another
        request with the same key gave the hold back meanwhile, the work is reserved and charged anew.
        """
        return await unbroken(self._capture({"units": units, "usage": usage, "amount": amount, "mode": mode}))

    async def release(self) -> None:
        """Give back what is held; does nothing where the hold has ended."""
        if not self.paid:
            await unbroken(self._release())

    async def _capture(self, used: dict[str, Any]) -> CapturedHold:
        use = self._use
        try:
            return await use.credits.capture_hold(
                use.account_id,
                self.hold_id,
                **used,
                late=True,
                generation_id=use.generation_id,
                metadata=use.metadata,
                idempotency_key=use.key_for("capture", self._attempt),
            )
        except HoldEndedError as ended:
            if ended.state != "released" or use.key is None:
                raise
        again = await use.reserve(self._attempt + 1)
        return await again._capture(used)

    async def _release(self) -> None:
        # Where the database is away the hold expires by itself; what is to be told is why the work failed.
        with suppress(HoldEndedError, UnavailableError):
            await self._use.credits.release_hold(self._use.account_id, self.hold_id, reason="the work failed")


class Use:
    """One use that some work is going to make of a feature; with a key it is one use, however often it is begun."""

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
        """Set the credits aside; raises what `place_hold` does. Cancelled on its way, it leaves no hold."""
        placing = asyncio.ensure_future(self._reserve(attempt))
        try:
            return await unbroken(placing)
        except asyncio.CancelledError:
            _keep(asyncio.ensure_future(_release_when_placed(placing)))
            raise

    def key_for(self, what: str, attempt: int) -> str | None:
        """The key of one step; a key too long to take an addition stands there by its digest."""
        if self.key is None:
            return None
        long = len(self.key) > KEY_LENGTH_MAX - _KEY_ROOM
        return f"{hashlib.sha256(self.key.encode()).hexdigest() if long else self.key}:{what}:{attempt}"

    async def _reserve(self, attempt: int) -> Reservation:
        while True:
            placed = await self._place(attempt)
            if not placed.replayed:
                return Reservation(self, placed.hold_id, attempt, paid=False)
            # The same use was begun before: it is under way, or was charged, or came to nothing.
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
            # Told by the caller's key, which the step's was made of.
            raise IdempotencyConflictError(self.key) from None


async def unbroken(step: "Coroutine[Any, Any, T] | asyncio.Future[T]") -> T:
    """What the step gives; it goes on to its end even when whoever waits for it is cancelled."""
    task = asyncio.ensure_future(step)
    _keep(task)
    return await asyncio.shield(task)


def _keep(task: "asyncio.Future[Any]") -> None:
    _going_on.add(task)  # type: ignore[arg-type]
    task.add_done_callback(_going_on.discard)


async def _release_when_placed(placing: "asyncio.Future[Reservation]") -> None:
    await asyncio.wait((placing,))
    if not placing.cancelled() and placing.exception() is None:
        await placing.result().release()
