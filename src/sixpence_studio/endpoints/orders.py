"""`POST /studio/generations`: reserves the price, has the picture made and stored, charges, and only then answers.

What always holds:
- A picture is made only if it can be paid for, and shown only after it is paid for. A failed one costs nothing.
- The charge comes when the picture is on disk. A customer who loses the answer fetches the picture, or retries.
- One generation id is one order and one charge, however often it is sent, also concurrently.
- An order is finished although its browser disconnects. If it succeeds it is charged and is in the gallery.
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
from sixpence.integrations.reservations import Reservation
from sixpence.integrations.starlette import CreditIntegration
from sixpence_studio.gallery import Gallery, Generation
from sixpence_studio.generators import Generator, OptionError, PictureError
from sixpence_studio.orders.job import Job, Made
from sixpence_studio.orders.order import Order, option_error, read_order
from sixpence_studio.orders.worker_pool import JobFailedError, WorkerPool, WorkerPoolError

ORDERS_MAX = 2
RETRY_SECONDS = 2


class OrderEndpoint:
    """Serves orders; one account may have `ORDERS_MAX` of them in progress, uploads included."""

    def __init__(
        self,
        integration: CreditIntegration,
        worker_pool: WorkerPool,
        gallery: Gallery,
        generators: Mapping[str, Generator],
    ) -> None:
        self._integration = integration
        self._worker_pool = worker_pool
        self._gallery = gallery
        self._generators = generators
        self._in_progress: Counter[str] = Counter()
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def generate(self, request: Request) -> Response:
        """Serve the order in a request; the same order again gets the same answer, and is charged once."""
        account_id = await self._integration.account_of(request)
        with self._counted(account_id):
            order = await read_order(request, self._generators)
            # The second of two equal orders waits for the first, and then finds its result.
            async with self._locks.setdefault((account_id, order.generation_id), asyncio.Lock()):
                return await self._serve(request, account_id, order)

    @contextmanager
    def _counted(self, account_id: str) -> Iterator[None]:
        if self._in_progress[account_id] >= ORDERS_MAX:
            detail = f"{ORDERS_MAX} pictures of yours are being made already. Wait until one is finished."
            raise HTTPException(429, detail, {"Retry-After": str(RETRY_SECONDS)})
        self._in_progress[account_id] += 1
        try:
            yield
        finally:
            self._in_progress[account_id] -= 1
            if not self._in_progress[account_id]:
                del self._in_progress[account_id]

    async def _serve(self, request: Request, account_id: str, order: Order) -> Response:
        generation = await asyncio.to_thread(self._gallery.find, account_id, order.generation_id)
        if generation is not None and generation.order != order.fingerprint:
            raise IdempotencyConflictError(_key(order))
        try:
            reservation = await self._reserve(request, order)
            generation = generation or await self._make(account_id, order, reservation)
            charge = await reservation.capture()
        except RefusedError:
            # Nothing was charged, so nobody owns a picture that a killed server left.
            if generation is not None:
                await self._withdraw(generation)
            raise
        return await self._answer(generation, charge)

    async def _answer(self, generation: Generation, charge: CapturedHold) -> Response:
        row = charge.transaction
        if generation.paid_at is None:
            await asyncio.to_thread(
                self._gallery.mark_paid, generation, paid_at=row.created_at, credits_consumed=charge.credits_consumed
            )
        plan = (await self._integration.get_catalog()).plans.get(charge.subscription_status)
        data = {
            **picture_urls(generation),
            "unlimited": plan is not None and plan.unlimited,
            "subscription_status": charge.subscription_status,
            "created_at": row.created_at,
        }
        return self._integration.create_success_response(data, charge)

    async def _reserve(self, request: Request, order: Order) -> Reservation:
        """Reserve the price; a retried order finds its hold, or its charge."""
        # With the order's fingerprint in it, the ledger itself refuses this id for any other order.
        metadata = {"picture": order.room or "uploaded", "options": order.options, "order": order.fingerprint}
        return await self._integration.reserve(
            request, order.feature, order.generation_id, metadata=metadata, idempotency_key=_key(order)
        )

    async def _make(self, account_id: str, order: Order, reservation: Reservation) -> Generation:
        """Make and store the picture; any failure releases the reservation."""
        try:
            return await self._make_and_store(account_id, order)
        except BaseException:
            await reservation.release()
            raise

    async def _make_and_store(self, account_id: str, order: Order) -> Generation:
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
        await asyncio.to_thread(self._gallery.store, generation, made)
        return generation

    async def _work(self, job: Job) -> Made:
        try:
            return await self._worker_pool.make(job)
        except OptionError as error:
            raise option_error(job.generator, error) from None
        except PictureError as error:
            raise InvalidInputError("picture", str(error)) from None
        except JobFailedError:
            raise InternalError from None
        except WorkerPoolError as error:
            detail = f"{error} Nothing was charged; try again."
            raise HTTPException(503, detail, {"Retry-After": str(RETRY_SECONDS)}) from None

    async def _withdraw(self, generation: Generation) -> None:
        """Remove a picture that could not be paid for; a paid one stays in its owner's gallery."""
        if generation.paid_at is None:
            await asyncio.to_thread(self._gallery.remove, generation)


def picture_urls(generation: Generation) -> dict[str, Any]:
    """Return what a page needs to show a generation: its id, feature and type, and the URLs of its two pictures."""
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
