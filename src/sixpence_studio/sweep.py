"""Tidying the gallery at the start: what a server that was killed had made and not marked as paid for.

The ledger says which of it was paid for: that is its customer's and stays. The rest goes.
"""

import asyncio
from datetime import timedelta

import structlog

from sixpence import AccountNotFoundError, CreditService, CreditTransaction, UnavailableError
from sixpence_studio.gallery import Gallery, Generation

# The database's clock may be another machine's.
_CLOCKS_APART = timedelta(hours=1)

# What charged for it: the capture of its hold, or a use of its own where the hold had expired.
_CHARGES = ("capture", "consume")

_log = structlog.get_logger(__name__)


async def sweep(gallery: Gallery, credits: CreditService) -> None:
    """Settles every generation that is not marked as paid for; leaves the rest to the next start if it cannot."""
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
                since=generation.made_at - _CLOCKS_APART,
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
