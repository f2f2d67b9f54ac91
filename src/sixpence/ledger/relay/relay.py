"""The relay: reads the outbox in order, adds up usage by day, and deletes the rows that it read, in one transaction.

So a killed relay loses nothing and counts nothing twice. A server always runs one. An app that uses `CreditService`
directly decides when:

    relay = Relay(credits.ledger)
    await relay.run_once()            # empty the outbox now
    async with relay.running(): ...   # in the background, while the block runs
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sixpence.core.errors import ServiceClosedError, UnavailableError
from sixpence.ledger.database.engines import PostgresServer
from sixpence.ledger.ledger import Ledger
from sixpence.ledger.reads import outbox
from sixpence.ledger.relay.batch_size import PAUSE_SECONDS, POSTGRESQL, SQLITE, BatchSize, StepResult, retry_seconds
from sixpence.ledger.relay.step import RelayStep

_log = logging.getLogger(__name__)


class Relay:
    """Empties the outbox of a ledger. Any number may run, in any process; only one reads at a time."""

    def __init__(self, ledger: Ledger, *, batch_size: BatchSize | None = None) -> None:
        self._ledger = ledger
        self._batch_size = batch_size or (POSTGRESQL if isinstance(ledger.address, PostgresServer) else SQLITE)

    async def run_once(self) -> int:
        """Read everything that is readable now, with pauses while commands wait; returns the number of ledger rows.

        Raises an `UnavailableError` for an error that a retry may solve; the rows read before it stay counted.
        """
        ledger_rows = 0
        while True:
            step = await self._step()
            ledger_rows += step.ledger_rows
            if not step.full:
                return ledger_rows
            await asyncio.sleep(self._batch_size.pause_seconds(step))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relay in a background task while the block runs; a step that is running at its end still finishes."""
        task = asyncio.create_task(self._run(), name="sixpence-relay")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def _run(self) -> None:
        failures = 0
        pause = PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                step = await self._step()
            except ServiceClosedError:
                return
            except Exception as error:  # noqa: BLE001 - the last boundary: after any error requests and the relay continue
                failures += 1
                pause = retry_seconds(failures)
                unexpected = not isinstance(error, UnavailableError)
                _log.warning("the relay failed; it tries again in %g s: %s", pause, error, exc_info=unexpected)
            else:
                failures = 0
                pause = self._batch_size.pause_seconds(step)

    async def _step(self) -> StepResult:
        """Read one batch of the outbox; an empty outbox begins no transaction."""
        if not await self._ledger.read(outbox.has_outbox_rows):
            return StepResult()
        step = RelayStep(self._ledger, self._batch_size)
        await self._ledger.write(step.run)
        return step.result()
