"""The relay: reads the outbox in its order, adds up usage by day, and deletes what it has read, in one transaction.

A relay that is killed has therefore neither lost nor counted anything twice. A server runs one for as long as it lives;
an app that uses `CreditService` by itself decides when:

    relay = Relay(credits.ledger)
    await relay.run_once()            # now, all there is
    async with relay.running(): ...   # beside whatever happens in here
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sixpence.core.errors import ServiceClosedError, UnavailableError
from sixpence.ledger.database.engines import PostgresServer
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import outbox
from sixpence.ledger.relay.batch_size import POSTGRESQL, REST_SECONDS, SQLITE, Bite, Bites, failed_seconds
from sixpence.ledger.relay.relay_once import Work

_log = logging.getLogger(__name__)


class Relay:
    """Empties the outbox of a ledger. Any number may run, in any process; one at a time reads."""

    def __init__(self, ledger: Ledger, *, bites: Bites | None = None) -> None:
        self._ledger = ledger
        self._bites = bites or (POSTGRESQL if isinstance(ledger.address, PostgresServer) else SQLITE)

    async def run_once(self) -> int:
        """Read all that may be read now, with rests while commands wait; gives how many rows of the ledger that were.

        Raises an `UnavailableError` when it is worth trying again; what was read before stays counted.
        """
        read = 0
        while True:
            bite = await self._bite()
            read += bite.ledger_rows
            if not bite.full:
                return read
            await asyncio.sleep(self._bites.rest_seconds(bite))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay in a task of its own while the block runs; a bite under way at its end is finished by its thread."""
        task = asyncio.create_task(self._run(), name="sixpence-relay")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        failures = 0
        rest = REST_SECONDS
        while True:
            await asyncio.sleep(rest)
            try:
                bite = await self._bite()
            except ServiceClosedError:
                return
            except Exception as error:  # noqa: BLE001 - the last boundary: whatever it is, the requests go on, and so does this
                failures += 1
                rest = failed_seconds(failures)
                unexpected = not isinstance(error, UnavailableError)
                _log.warning("the relay failed; it tries again in %g s: %s", rest, error, exc_info=unexpected)
            else:
                failures = 0
                rest = self._bites.rest_seconds(bite)

    async def _bite(self) -> Bite:
        """Read a part of the outbox; nothing is begun where it is empty."""
        if not await self._ledger.read(outbox.has_outbox):
            return Bite()
        work = Work(self._ledger, self._bites)
        await self._ledger.write(work.run)
        return work.done()
