"""`CreditService`: the operations on credits, one definition each. What they do to an account stands in `core`.

The operations themselves stand by what they are about: `looking`, `looking_back`, `usage`, `uses`, `holding`,
`granting`, `planning`, `checkpoints`, `proving`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from sixpence.service.operations.balances import Looking
from sixpence.service.operations.consumption import Uses
from sixpence.service.operations.grants import Granting
from sixpence.service.operations.history import LookingBack
from sixpence.service.operations.holds import Holding
from sixpence.service.operations.plans import Planning
from sixpence.service.operations.transaction_guard import inside
from sixpence.service.operations.usage import UsageByDay
from sixpence.service.operations.verification import Verification
from sixpence.service.requests import requests
from sixpence.service.results.receipts import OpenedAccount

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


class CreditService(Looking, LookingBack, UsageByDay, Uses, Holding, Granting, Planning, Verification):
    """Usage credits kept in a SQLite file or a PostgreSQL database: `CreditService("sqlite:///credits.db")`.

    Nothing is opened before the first use. End it with `await close()` or `async with`. Every method raises
    `InvalidInputError` for a value it cannot accept and an `UnavailableError` when it is worth trying again; what a
    method refuses beside that is named with it. Give an `idempotency_key` wherever a call may be repeated: the same key
    and the same arguments change the account once and always answer the same.

    Give a `connection` to make a change inside a transaction of your own, so that it commits or rolls back with your
    rows: a SQLAlchemy `AsyncConnection`, or on SQLite what `transaction()` gives (docs/own-transaction.md).
    """

    async def initialize_user_credits(
        self,
        account_id: str,
        *,
        label: str | None = None,
        metadata: dict[str, Any] | None = None,
        idempotency_key: str | None = None,
        connection: object | None = None,
    ) -> OpenedAccount:
        """Make the account with its signup credits if it is not there yet; safe to call again and at once."""
        request = requests.ensure(account_id, label=label, metadata=metadata, key=idempotency_key)
        return OpenedAccount.of(await self._submit(request, connection))

    @asynccontextmanager
    async def transaction(self) -> "AsyncIterator[AsyncConnection]":
        """A transaction of your own: `async with credits.transaction() as connection`, an `AsyncConnection`.

        It commits at the end of the block, and what the block raises undoes it. On SQLite it keeps every other change
        waiting: it raises `TransactionEndedError` when it took longer than a command may wait, and needs `aiosqlite`.
        """
        own = await self._ledger.own()
        async with own.transaction_async() as connection:
            with inside(self._ledger):
                yield connection

    async def close(self) -> None:
        """Finish what was asked and give the database back; later calls raise `ServiceClosedError`."""
        await asyncio.to_thread(self._ledger.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
