"""The desk: takes an order, sets its price aside, has the picture made, keeps it, charges, and only then hands it out.

What always holds:
- No picture is made that cannot be paid for, none is shown that was not, and one that was not made costs nothing.
- The charge comes when the picture is on disk: whoever loses the answer fetches it, or sends the same order again.
- One generation id is one order and one charge, however often and however many at once it is sent.
- When a browser goes away its order is finished all the same, and charged if it succeeds: it hangs in the gallery.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from sixpence import CapturedHold, IdempotencyConflictError, InternalError, InvalidInputError, RefusedError
from sixpence.integrations.reserving import Reservation
from sixpence.integrations.starlette import CreditIntegration
from sixpence_studio.gallery import Gallery, Generation
from sixpence_studio.generators import Generator, OptionError, PictureError
from sixpence_studio.making import Job, Made
from sixpence_studio.order import Order, option_fault, read_order
from sixpence_studio.workshop import JobFailedError, Workshop, WorkshopError

ORDERS_MAX = 2
RETRY_SECONDS = 2


class Desk:
    """Serves orders; one account may have `ORDERS_MAX` of them on their way, uploads included."""

    def __init__(
        self,
        integration: CreditIntegration,
        workshop: Workshop,
        gallery: Gallery,
        generators: Mapping[str, Generator],
    ) -> None:
        self._integration = integration
        self._workshop = workshop
        self._gallery = gallery
        self._generators = generators
        self._on_their_way: Counter[str] = Counter()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def generate(self, request: Request) -> Response:
        """Serve the order in a request; the same order again gets the same answer, and is charged once."""
        account_id = await self._integration.account_of(request)
        with self._counted(account_id):
            order = await read_order(request, self._generators)
            # The second of two equal orders waits for the first, and then finds it done.
            async with self._locks.setdefault((account_id, order.generation_id), asyncio.Lock()):
                return await self._serve(request, account_id, order)

    @contextmanager
    def _counted(self, account_id: str) -> Iterator[None]:
        if self._on_their_way[account_id] >= ORDERS_MAX:
            detail = f"{ORDERS_MAX} pictures of yours are being made already. Wait until one is finished."
            raise HTTPException(429, detail, {"Retry-After": str(RETRY_SECONDS)})
        self._on_their_way[account_id] += 1
        try:
            yield
        finally:
            self._on_their_way[account_id] -= 1
            if not self._on_their_way[account_id]:
                del self._on_their_way[account_id]

    async def _serve(self, request: Request, account_id: str, order: Order) -> Response:
        generation = await asyncio.to_thread(self._gallery.find, account_id, order.generation_id)
        if generation is not None and generation.order != order.fingerprint:
            raise IdempotencyConflictError(_key(order))
        try:
            reservation = await self._reserve(request, order)
            generation = generation or await self._make(account_id, order, reservation)
            charge = await reservation.capture()
        except RefusedError:
            # Nothing was charged, so what a server left that was killed is nobody's.
            if generation is not None:
                await self._withdraw(generation)
            raise
        return await self._hand_out(generation, charge)

    async def _hand_out(self, generation: Generation, charge: CapturedHold) -> Response:
        row = charge.transaction
        if generation.paid_at is None:
            await asyncio.to_thread(
                self._gallery.mark_paid, generation, paid_at=row.created_at, credits_consumed=charge.credits_consumed
            )
        plan = (await self._integration.get_catalog()).plans.get(charge.subscription_status)
        data = {
            **addresses(generation),
            "unlimited": plan is not None and plan.unlimited,
            "subscription_status": charge.subscription_status,
            "created_at": row.created_at,
        }
        return self._integration.create_success_response(data, charge)

    async def _reserve(self, request: Request, order: Order) -> Reservation:
        """Set the price aside; the same order again finds its hold, or its charge."""
        # With the order's fingerprint in it, the ledger itself refuses this id for another order, for ever.
        metadata = {"picture": order.room or "uploaded", "options": order.options, "order": order.fingerprint}
        return await self._integration.reserve(
            request, order.feature, order.generation_id, metadata=metadata, idempotency_key=_key(order)
        )

    async def _make(self, account_id: str, order: Order, reservation: Reservation) -> Generation:
        """The picture, made and kept; whatever goes wrong gives back what is set aside."""
        try:
            return await self._made(account_id, order)
        except BaseException:
            await reservation.release()
            raise

    async def _made(self, account_id: str, order: Order) -> Generation:
        made = await self._work(order.job())
        generation = Generation(
            generation_id=order.generation_id,
            account_id=account_id,
            feature=order.feature,
            order=order.fingerprint,
            media_type=made.media_type,
            after_name=f"after{made.suffix}",
            made_at=datetime.now(UTC),
        )
        await asyncio.to_thread(self._gallery.keep, generation, made)
        return generation

    async def _work(self, job: Job) -> Made:
        try:
            return await self._workshop.make(job)
        except OptionError as error:
            raise option_fault(job.generator, error) from None
        except PictureError as error:
            raise InvalidInputError("picture", str(error)) from None
        except JobFailedError:
            raise InternalError from None
        except WorkshopError as error:
            detail = f"{error} Nothing was charged; try again."
            raise HTTPException(503, detail, {"Retry-After": str(RETRY_SECONDS)}) from None

    async def _withdraw(self, generation: Generation) -> None:
        """Remove what could not be paid for; what was once paid for stays its customer's."""
        if generation.paid_at is None:
            await asyncio.to_thread(self._gallery.remove, generation)


def addresses(generation: Generation) -> dict[str, Any]:
    """What a page needs to show a generation: what it is, and where its two pictures are."""
    path = f"/studio/generations/{generation.generation_id}"
    return {
        "generation_id": generation.generation_id,
        "feature": generation.feature,
        "media_type": generation.media_type,
        "before_url": f"{path}/before",
        "after_url": f"{path}/after",
    }


def _key(order: Order) -> str:
    return f"generation:{order.generation_id}"
