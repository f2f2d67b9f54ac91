"""Cleaning up the gallery at startup: pictures that a killed server had made but not marked as paid for.

The ledger decides: a picture that it shows as charged is marked as paid for, the others are removed.
"""

import asyncio
from datetime import timedelta

import structlog

from sixpence import AccountNotFoundError, CreditService, CreditTransaction, UnavailableError
from sixpence_studio.gallery import Gallery, Generation

# The database may run on another machine, with another clock.
_CLOCK_SKEW_MAX = timedelta(hours=1)

# A charge is the capture of the hold, or a direct use if the hold had expired.
_CHARGES = ("capture", "consume")

_log = structlog.get_logger(__name__)


async def sweep(gallery: Gallery, credits: CreditService) -> None:
    """Settle every generation that is not marked as paid for; if the ledger is unavailable, the next start retries."""
    unpaid = await asyncio.to_thread(gallery.list_unpaid)
    try:
        for generation in unpaid:
            await _settle(generation, gallery, credits)
    except UnavailableError as error:
        _log.warning("gallery_not_swept", error=type(error).__name__)


async def _settle(generation: Generation, gallery: Gallery, credits: CreditService) -> None:
    charge = await _find_charge(generation, credits)
    if charge is None:
        await asyncio.to_thread(gallery.remove, generation)
    else:
        consumed = charge.credits_consumed or 0
        await asyncio.to_thread(gallery.mark_paid, generation, paid_at=charge.created_at, credits_consumed=consumed)


async def _find_charge(generation: Generation, credits: CreditService) -> CreditTransaction | None:
    cursor: str | None = None
    while True:
        try:
            page = await credits.get_credit_history(
                generation.account_id,
                feature=generation.feature,
                since=generation.made_at - _CLOCK_SKEW_MAX,
                cursor=cursor,
            )
        except AccountNotFoundError:
            return None
        for row in page.transactions:
            if row.generation_id == generation.generation_id and row.kind in _CHARGES:
                return row
        cursor = page.next_cursor
        if cursor is None:
            return None
